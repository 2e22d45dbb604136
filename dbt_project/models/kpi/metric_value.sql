-- Every value that a board or a report shows. A row is of an agency or of a place, never of both; a place has its own
-- vintage, so the same month stands under the communes of then and, restated, under the present ones. Both sides are
-- added up first and divided last.
with parts as (
    select * from {{ ref('int_kpi__commune_month') }}
),

-- Sources that tell the agency or the area of each day: theirs is the word on provinces, since not every record has a
-- commune.
told_by_day as (
    select distinct metric_code from {{ ref('int_kpi__day') }}
),

-- As recorded: the communes that are no more. The present ones have every month, restated.
recorded as (
    select
        commune_key,
        metric_code,
        metric_version,
        accrual,
        month_start,
        sum(numerator) as numerator,
        sum(denominator) as denominator
    from parts
    where commune_key <> present_commune_key
    group by metric_code, metric_version, accrual, month_start, commune_key
),

restated as (
    {{ restated_rows(
        'parts', ['metric_code', 'metric_version', 'accrual', 'month_start'],
        {
            'numerator': {'measure': 'amount', 'column': 'numerator'},
            'denominator': {'measure': 'amount', 'column': 'denominator'},
        }, true
    ) }}
),

communes as (
    select * from recorded
    union all
    select * from restated
),

of_communes as (
    select
        communes.metric_code,
        communes.metric_version,
        communes.accrual,
        cast(null as text) as agency_key,
        place.unit_key,
        communes.month_start,
        sum(communes.numerator) as numerator,
        sum(communes.denominator) as denominator
    from communes
    inner join {{ ref('dim_administrative_unit') }} as commune on communes.commune_key = commune.commune_key
    -- Months of a commune that is no more are in those of the present ones too, where its province goes on.
    left join {{ ref('dim_administrative_unit') }} as province
        on
            province.level_code = 'TINH'
            and commune.province_code = province.unit_code
            and commune.is_present = province.is_present
            and coalesce(commune.valid_to, {{ as_of() }})
            between province.valid_from and coalesce(province.valid_to, 'infinity')
    cross join lateral (values (commune.unit_key), (province.unit_key)) as place (unit_key)
    where
        place.unit_key is not null
        and (
            place.unit_key = commune.unit_key
            or communes.metric_code not in (select told_by_day.metric_code from told_by_day)
        )
    group by
        communes.metric_code, communes.metric_version, communes.accrual, place.unit_key, communes.month_start
),

dossier_months as (
    select
        month.agency_key,
        agency.former_province,
        month.month_start,
        metric.*
    from {{ ref('int_kpi__dossier_month') }} as month
    inner join {{ ref('dim_agency') }} as agency on month.agency_key = agency.agency_key
    cross join lateral (
        {{ dossier_metrics() }}
    ) as metric (metric_code, metric_version, accrual, numerator, denominator)
    where metric.numerator <> 0 or metric.denominator <> 0
),

day_months as (
    select
        agency_key,
        former_province,
        {{ series_month('day') }} as month_start,
        metric_code,
        metric_version,
        accrual,
        sum(numerator) as numerator,
        sum(denominator) as denominator
    from {{ ref('int_kpi__day') }}
    where agency_key is not null or former_province is not null
    group by agency_key, former_province, month_start, metric_code, metric_version, accrual
),

agency_months as (
    select * from dossier_months
    union all
    select * from day_months
),

-- The list of procedures is the whole province's.
list_months as (
    select
        metric_code,
        metric_version,
        accrual,
        {{ series_month('day') }} as month_start,
        sum(numerator) as numerator,
        sum(denominator) as denominator
    from {{ ref('metric_day') }}
    where agency_key is null and former_province is null
    group by metric_code, metric_version, accrual, month_start
),

former_provinces as (
    select distinct former_province
    from {{ ref('dim_agency') }}
),

periods as (
    select distinct
        period_kind,
        period_start,
        period_end
    from {{ ref('int_kpi__period_month') }}
),

provinces as (
    select
        unit_key,
        unit_code,
        is_present,
        valid_from
    from {{ ref('dim_administrative_unit') }}
    where level_code = 'TINH'
),

-- The province that was formed on 1/7/2025 has the history of all; those before it their own, until they ended.
areas as (
    select
        former.former_province,
        province.unit_key,
        cast('infinity' as date) as last_day
    from former_provinces as former
    cross join provinces as province
    where province.valid_from >= date '{{ var("two_level_from") }}'

    union all

    select
        former.former_province,
        province.unit_key,
        date '{{ var("two_level_from") }}' - 1 as last_day
    from former_provinces as former
    inner join provinces as province
        on
            former.former_province = province.unit_code
            and province.valid_from < date '{{ var("two_level_from") }}'
),

months as (
    select * from of_communes

    union all

    select
        metric_code,
        metric_version,
        accrual,
        agency_key,
        null as unit_key,
        month_start,
        numerator,
        denominator
    from agency_months
    where agency_key is not null

    union all

    select
        list.metric_code,
        list.metric_version,
        list.accrual,
        null as agency_key,
        province.unit_key,
        list.month_start,
        list.numerator,
        list.denominator
    from list_months as list
    cross join provinces as province
    where province.is_present

    union all

    select
        month.metric_code,
        month.metric_version,
        month.accrual,
        null as agency_key,
        area.unit_key,
        month.month_start,
        sum(month.numerator) as numerator,
        sum(month.denominator) as denominator
    from agency_months as month
    inner join areas as area
        on coalesce(month.former_province, '') = coalesce(area.former_province, '')
            and month.month_start <= area.last_day
    group by month.metric_code, month.metric_version, month.accrual, area.unit_key, month.month_start
),

summed as (
    select
        months.metric_code,
        months.metric_version,
        months.agency_key,
        months.unit_key,
        period.period_kind,
        period.period_start,
        period.period_end,
        sum(months.numerator) as numerator,
        sum(months.denominator) as denominator
    from months
    inner join {{ ref('int_kpi__period_month') }} as period
        on months.accrual = period.accrual and months.month_start = period.month_start
    group by
        months.metric_code, months.metric_version, months.agency_key, months.unit_key, period.period_kind,
        period.period_start, period.period_end
),

-- Each procedure once: counted over the period, never added up. Periods are whole months, so that the many days on
-- which a procedure was used in a month are one to them.
members as (
    select
        metric_code,
        metric_version,
        former_province,
        procedure_code,
        from_day,
        to_day,
        bool_or(in_numerator) as in_numerator,
        bool_or(in_denominator) as in_denominator
    from (
        select
            metric_code,
            metric_version,
            former_province,
            procedure_code,
            case when from_day = to_day then cast(date_trunc('month', from_day) as date) else from_day end as from_day,
            case when from_day = to_day then cast(date_trunc('month', to_day) as date) else to_day end as to_day,
            in_numerator,
            in_denominator
        from {{ ref('metric_member') }}
    ) as by_month
    group by metric_code, metric_version, former_province, procedure_code, from_day, to_day
),

members_of_periods as (
    select
        member.metric_code,
        member.metric_version,
        area.unit_key,
        period.period_kind,
        period.period_start,
        period.period_end,
        member.procedure_code,
        bool_or(member.in_numerator) as in_numerator,
        bool_or(member.in_denominator) as in_denominator
    from members as member
    inner join periods as period
        on member.from_day <= period.period_end and member.to_day >= period.period_start
    inner join areas as area
        on
            coalesce(member.former_province, '') = coalesce(area.former_province, '')
            and period.period_end <= area.last_day
    group by
        member.metric_code, member.metric_version, area.unit_key, period.period_kind, period.period_start,
        period.period_end, member.procedure_code
),

distinct_counts as (
    select
        metric_code,
        metric_version,
        cast(null as text) as agency_key,
        unit_key,
        period_kind,
        period_start,
        period_end,
        count(*) filter (where in_numerator) as numerator,
        count(*) filter (where in_denominator) as denominator
    from members_of_periods
    group by metric_code, metric_version, unit_key, period_kind, period_start, period_end
),

all_values as (
    select * from summed
    union all
    select * from distinct_counts
)

select
    one.metric_code,
    one.metric_version,
    one.agency_key,
    one.unit_key as place_key,
    place.vintage,
    one.period_kind,
    one.period_start,
    one.period_end,
    cast(one.numerator as numeric(20, 6)) as numerator,
    cast(one.denominator as numeric(20, 6)) as denominator,
    cast(kpi.value(one.numerator, one.denominator, metric.factor) as numeric(18, 2)) as value
from all_values as one
inner join {{ ref('metric') }} as metric
    on one.metric_code = metric.metric_code and one.metric_version = metric.metric_version
left join {{ ref('dim_administrative_unit') }} as place on one.unit_key = place.unit_key
-- What ran on when a place ended has gone to its successors.
where one.period_start <= coalesce(place.valid_to, 'infinity')
