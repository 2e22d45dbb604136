with documents as (
    select
        cast(date_trunc('month', document.day) as date) as month_start,
        agency.level_code,
        sum(document.outgoing) as outgoing,
        sum(document.electronic) as electronic,
        sum(document.signed) as signed
    from {{ ref('fct_document_day') }} as document
    inner join {{ ref('dim_agency') }} as agency on document.agency_key = agency.agency_key
    where document.day < {{ month_start(last_month()) }} + interval '1 month'
    group by cast(date_trunc('month', document.day) as date), agency.level_code
),

work as (
    select
        work.month_start,
        agency.level_code,
        sum(work.handled) as handled,
        sum(work.handled_online) as handled_online
    from {{ ref('fct_work_month') }} as work
    inner join {{ ref('dim_agency') }} as agency on work.agency_key = agency.agency_key
    where work.month_start <= {{ month_start(last_month()) }}
    group by work.month_start, agency.level_code
)

select
    coalesce(documents.month_start, work.month_start) as month_start,
    coalesce(documents.level_code, work.level_code) as level_code,
    cast(coalesce(documents.outgoing, 0) as integer) as outgoing,
    cast(coalesce(documents.electronic, 0) as integer) as electronic,
    cast({{ rate('documents.electronic', 'documents.outgoing') }} as numeric(5, 2)) as electronic_share,
    cast(coalesce(documents.signed, 0) as integer) as signed,
    cast({{ rate('documents.signed', 'documents.electronic') }} as numeric(5, 2)) as signed_share,
    cast(coalesce(work.handled, 0) as integer) as handled,
    cast(coalesce(work.handled_online, 0) as integer) as handled_online,
    cast({{ rate('work.handled_online', 'work.handled') }} as numeric(5, 2)) as handled_online_share
from documents
full join work on documents.month_start = work.month_start and documents.level_code = work.level_code
