-- What each day adds to the metrics of documents, work online, accounts, certificates and units. Levels have metrics
-- of their own, as reports have them: province and district together, communes apart. A stock belongs to the area whose
-- agency it was given by, since agencies end and what they were given goes on.
with outgoing as (
    select
        document.agency_key,
        agency.former_province,
        document.day,
        metric.*
    from {{ ref('fct_document_day') }} as document
    inner join {{ ref('dim_agency') }} as agency on document.agency_key = agency.agency_key
    cross join lateral (
        values
        ('documents_outgoing', 'sum', document.outgoing, null),
        (
            'documents_electronic_' || case agency.level_code when 'XA' then 'commune' else 'upper' end,
            'sum', document.electronic, document.outgoing
        ),
        (
            'documents_signed_' || case agency.level_code when 'XA' then 'commune' else 'upper' end,
            'sum', document.signed, document.electronic
        )
    ) as metric (metric_code, accrual, numerator, denominator)
),

-- Of a month that is over: a report counts on its last day.
work as (
    select
        work.agency_key,
        agency.former_province,
        cast(work.month_start + interval '1 month - 1 day' as date) as day,
        case agency.level_code
            when 'TINH' then 'work_online_department'
            when 'HUYEN' then 'work_online_district'
            when 'XA' then 'work_online_commune'
        end as metric_code,
        'sum' as accrual,
        work.handled_online as numerator,
        work.handled as denominator
    from {{ ref('fct_work_month') }} as work
    inner join {{ ref('dim_agency') }} as agency on work.agency_key = agency.agency_key
    where work.month_start + interval '1 month - 1 day' <= {{ as_of() }}
),

accounts as (
    select
        agency.former_province,
        metric.*
    from {{ ref('fct_system_account') }} as account
    inner join {{ ref('dim_agency') }} as agency on account.agency_key = agency.agency_key
    cross join lateral (
        values
        (
            account.opened_on,
            case account.account_system when 'mail' then 'mail_accounts' else 'document_accounts' end, 1, null
        ),
        (
            account.closed_on,
            case account.account_system when 'mail' then 'mail_accounts' else 'document_accounts' end, -1, null
        ),
        (account.opened_on, case account.account_system when 'mail' then 'mail_accounts_used' end, 0, 1),
        (account.first_used_on, case account.account_system when 'mail' then 'mail_accounts_used' end, 1, 0),
        (
            account.closed_on, case account.account_system when 'mail' then 'mail_accounts_used' end,
            -cast(account.first_used_on is not null as integer), -1
        )
    ) as metric (day, metric_code, numerator, denominator)
),

certificates as (
    select
        agency.former_province,
        metric.*
    from {{ ref('fct_signature_certificate') }} as certificate
    inner join {{ ref('dim_agency') }} as agency on certificate.agency_key = agency.agency_key
    cross join lateral (
        values
        (certificate.valid_from, 'signature_certificates', 1, cast(null as integer)),
        (certificate.in_force_until + 1, 'signature_certificates', -1, null)
    ) as metric (day, metric_code, numerator, denominator)
),

units as (
    select
        agency.former_province,
        metric.day,
        unit.unit_kind || 's_on_document_system' as metric_code,
        metric.numerator,
        metric.denominator
    from {{ ref('dim_document_unit') }} as unit
    inner join {{ ref('dim_agency') }} as agency on unit.agency_key = agency.agency_key
    cross join lateral (
        values
        (unit.established_on, 0, 1),
        (unit.joined_on, 1, 0),
        (unit.ended_on + 1, -cast(unit.joined_on is not null as integer), -1)
    ) as metric (day, numerator, denominator)
    where unit.unit_kind in ('department', 'district', 'commune')
),

counted as (
    select
        metric_code,
        accrual,
        agency_key,
        former_province,
        day,
        numerator,
        denominator
    from outgoing

    union all

    select
        metric_code,
        accrual,
        agency_key,
        former_province,
        day,
        numerator,
        denominator
    from work

    union all

    select
        stock.metric_code,
        'running' as accrual,
        cast(null as text) as agency_key,
        stock.former_province,
        stock.day,
        stock.numerator,
        stock.denominator
    from (
        select
            former_province,
            day,
            metric_code,
            numerator,
            denominator
        from accounts
        union all
        select
            former_province,
            day,
            metric_code,
            numerator,
            denominator
        from certificates
        union all
        select
            former_province,
            day,
            metric_code,
            numerator,
            denominator
        from units
    ) as stock
)

select
    metric_code,
    'press' as metric_version,
    accrual,
    agency_key,
    former_province,
    day,
    sum(numerator) as numerator,
    sum(denominator) as denominator
from counted
where metric_code is not null and day <= {{ as_of() }}
group by metric_code, accrual, agency_key, former_province, day
