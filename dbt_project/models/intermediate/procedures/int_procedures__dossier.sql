{{ config(
    materialized='incremental', incremental_strategy='differences', unique_key='dossier_code', on_schema_change='fail',
    pre_hook='{{ gather_scope() }}'
) }}

-- Dossiers with the deadlines and shares that the indicators of QĐ 766/QĐ-TTg need, in the press's reading and in the
-- strict one. Supplements: waiting for one stops the clock; one that was never answered ends the measured time at the
-- request; more than one makes the dossier late (formula 2.1).
with dossiers as (
    select
        dossier.*,
        procedure.field_code,
        procedure.needs_paper_result,
        procedure.time_limit,
        procedure.time_unit,
        procedure.fee_vnd,
        status.is_received,
        status.is_settled,
        coalesce(jsonb_array_length(dossier.supplements), 0) as supplement_count,
        case when jsonb_array_length(dossier.supplements) = 1 then dossier.supplements -> 0 end as supplement
    from {{ ref('stg_procedures__dossier') }} as dossier
    inner join {{ ref('stg_procedures__procedure') }} as procedure on dossier.procedure_code = procedure.procedure_code
    inner join {{ ref('dossier_status') }} as status on dossier.status_code = status.status_code
    where true{{ in_scope('dossier.dossier_code') }}
),

timed as (
    select
        *,
        {{ to_local_time("(supplement ->> 'NgayBoSung')") }} as asked_at,
        {{ to_local_time("(supplement ->> 'NgayTiepNhanBoSung')") }} as answered_at,
        case when is_settled then coalesce(finished_at, returned_at) end as settled_at
    from dossiers
),

-- Without a promised time the statutory limit counts: working days, calendar days, or hours of an 8-hour day.
promised as (
    select
        timed.*,
        coalesce(
            timed.due_at,
            case timed.time_unit
                when 'N' then timed.received_at + make_interval(days => timed.time_limit)
                else last_day.day + time '17:00'
            end
        ) as promised_at
    from timed
    left join {{ ref('int_calendar__day') }} as first_day
        on timed.due_at is null and cast(timed.received_at as date) = first_day.day
    left join {{ ref('int_calendar__day') }} as last_day
        on
            last_day.is_working_day
            and first_day.working_day_no
            + case when timed.time_unit = 'G' then ceil(timed.time_limit / 8.0) else timed.time_limit end
            = last_day.working_day_no
),

dated as (
    select
        *,
        reception_agency_code || '@' || reception_agency_valid_from as agency_key,
        cast(received_at as date) as received_on,
        -- A final status without a usable time: the day of the system's last word.
        case
            when is_settled
                then cast(coalesce(settled_at, updated_at at time zone 'Asia/Ho_Chi_Minh') as date)
        end as settled_on
    from promised
),

-- A code without a gap: each version holds until the next one, the last one for ever.
agencies as (
    select
        agency_code,
        agency_code || '@' || valid_from as agency_key,
        valid_from,
        coalesce(lead(valid_from) over (partition by agency_code order by valid_from) - 1, 'infinity') as holds_until
    from {{ ref('stg_procedures__agency') }}
)

select
    dossier_code,
    procedure_code,
    field_code,
    dated.agency_key,
    -- Who settled it, or has it in hand. A code that was not in use by then tells nothing.
    coalesce(handling.agency_key, dated.agency_key) as handling_agency_key,
    channel_code,
    applicant_type,
    status_code,
    is_received and received_at is not null as is_received,
    is_settled and received_at is not null as is_settled,
    supplement_count,
    cast(submitted_at as date) as submitted_on,
    received_on,
    cast(promised_at as date) as due_on,
    -- The last day on which it is in time while it is open, as 2.1 has it: the day before the second request for a
    -- supplement; for ever while the only one, asked for in time, is awaited; else the promise and the time waited.
    case
        when supplement_count > 1 then least(
            cast(promised_at as date),
            cast({{ to_local_time("(supplements -> 1 ->> 'NgayBoSung')") }} as date) - 1
        )
        when supplement is not null and answered_at is null and asked_at <= promised_at then 'infinity'
        else cast(promised_at + coalesce(answered_at - asked_at, interval '0') as date)
    end as due_on_strict,
    settled_on,
    cast(returned_at as date) as returned_on,
    extract(epoch from settled_at - received_at) / 3600 as handling_hours,
    channel_code = '2' as is_online,
    channel_code = '2' and (not needs_paper_result or has_electronic_result) as is_online_strict,
    settled_at <= promised_at as is_on_time,
    case
        when settled_at is null then null
        when supplement_count > 1 then false
        when supplement is not null and answered_at is null then coalesce(asked_at, settled_at) <= promised_at
        else settled_at - coalesce(answered_at - asked_at, interval '0') <= promised_at
    end as is_on_time_strict,
    is_digitised,
    has_electronic_result,
    has_vneid_account,
    online_payment is not null as is_paid_online,
    -- Components digitised with their files, and an electronic result (4.2).
    has_component_file and has_electronic_result as is_digitised_strict,
    is_digitised or has_digitised_component as has_digitised_component,
    has_reused_component,
    has_stored_component or has_electronic_result as is_shared,
    has_vneid_account
    or has_stored_component
    or coalesce(database_code = 'DC', false) as uses_population_data,
    -- A fee that was told, nought included; and one to pay: of a procedure with fees, unless all told are nought.
    coalesce(jsonb_array_length(fees), 0) > 0 as has_fee_told,
    coalesce(fee_vnd, 0) > 0 and (
        coalesce(jsonb_array_length(fees), 0) = 0
        or coalesce(jsonb_path_exists(fees, '$[*].Gia.double() ? (@ > 0)', '{}', true), false)
    ) as owes_fee
from dated
left join agencies as handling
    on
        dated.agency_code = handling.agency_code
        and coalesce(dated.settled_on, {{ as_of() }}) between handling.valid_from and handling.holds_until
