-- What was published beside the same worked out from records, as the metric says that answers it (seed
-- published_figure). The way from published values to this table is one way: no metric reads them.
with asked as (
    select
        said.value_code,
        said.province_code,
        commune.commune_key,
        answer.metric_code,
        answer.metric_version,
        coalesce(said.period_start, said.period_end) as since,
        said.period_end as until
    from {{ ref('fct_published_value') }} as said
    inner join {{ ref('published_figure') }} as answer on said.value_code = answer.value_code
    left join {{ ref('dim_administrative_unit') }} as commune
        on said.place_key = commune.unit_key and commune.level_code = 'XA'
    where answer.metric_code is not null
),

-- A state runs on from the first day; a sum has the days of its period. Rows of no area are of the whole province.
of_provinces as (
    select
        asked.value_code,
        sum(day.numerator) as numerator,
        sum(day.denominator) as denominator
    from asked
    inner join {{ ref('metric_province_day') }} as day
        on
            asked.metric_code = day.metric_code
            and asked.metric_version = day.metric_version
            and asked.until >= day.day
            and (day.accrual = 'running' or asked.since <= day.day)
            and (asked.province_code = day.former_province or day.is_of_whole_province)
    where asked.commune_key is null
    group by asked.value_code
),

-- Of a commune, what its own agency has done.
of_communes as (
    select
        asked.value_code,
        sum(day.numerator) as numerator,
        sum(day.denominator) as denominator
    from asked
    inner join {{ ref('dim_agency') }} as agency
        on asked.province_code = agency.former_province and asked.commune_key = agency.commune_key
    inner join {{ ref('metric_day') }} as day
        on
            agency.agency_key = day.agency_key
            and asked.metric_code = day.metric_code
            and asked.metric_version = day.metric_version
            and asked.until >= day.day
            and (day.accrual = 'running' or asked.since <= day.day)
    group by asked.value_code
),

counted_once as (
    select
        asked.value_code,
        count(distinct member.procedure_code) filter (where member.in_numerator) as numerator,
        nullif(count(distinct member.procedure_code) filter (where member.in_denominator), 0) as denominator
    from asked
    inner join {{ ref('metric_member') }} as member
        on
            asked.metric_code = member.metric_code
            and asked.metric_version = member.metric_version
            and asked.province_code = member.former_province
            and asked.since <= member.to_day
            and asked.until >= member.from_day
    group by asked.value_code
),

counted as (
    select * from of_provinces
    union all
    select * from of_communes
    union all
    select * from counted_once
),

said as (
    select
        value_code,
        kind,
        name_vi,
        name_en,
        province_code,
        numerator,
        denominator,
        value,
        unit,
        qualifier,
        period_start,
        period_end,
        publisher,
        document,
        document_on,
        plan
    from {{ ref('fct_published_value') }}

    union all

    select
        value_code,
        kind,
        name_vi,
        name_en,
        province_code,
        numerator,
        denominator,
        value,
        unit,
        qualifier,
        period_start,
        period_end,
        publisher,
        document,
        document_on,
        plan
    from {{ ref('fct_published_value_elsewhere') }}
),

own as (
    select value_code from {{ ref('fct_published_value') }}
)

select
    said.value_code,
    case when answer.value_code is null then said.kind else 'computed' end as kind,
    said.name_vi,
    said.name_en,
    said.province_code,
    own.value_code is null as is_elsewhere,
    said.unit,
    said.qualifier,
    said.period_start,
    said.period_end,
    said.value as published,
    said.denominator as published_denominator,
    cast(counted.numerator as numeric(20, 6)) as numerator,
    cast(counted.denominator as numeric(20, 6)) as denominator,
    cast(kpi.value(counted.numerator, counted.denominator, metric.factor) as numeric(18, 2)) as computed,
    answer.metric_code,
    answer.metric_version,
    answer.waits_for,
    said.publisher,
    said.document,
    said.document_on,
    said.plan
from said
left join own on said.value_code = own.value_code
left join {{ ref('published_figure') }} as answer on said.value_code = answer.value_code
left join counted on said.value_code = counted.value_code
left join {{ ref('metric') }} as metric
    on answer.metric_code = metric.metric_code and answer.metric_version = metric.metric_version
