{{ config(materialized='table') }}

-- Where the people of a divided commune were first seen after its end. All versions of their records are read: whoever
-- moves later takes the former commune out of the record, and shares that are once decided must not move with them.
-- Only those count whom the register had there, living, on the last day of the commune.
with versions as (
    {{ every_version('population', 'resident', [
        'record_id', 'permanent_district', 'permanent_commune', 'permanent_since', 'current_district',
        'current_commune', 'status_code', 'updated_at', '_load_id',
    ]) }}
),

cleaned as (
    select
        version.record_id,
        {{ clean_code('version.permanent_district') }} as permanent_district,
        {{ clean_code('version.permanent_commune') }} as permanent_commune,
        {{ clean_code('version.permanent_since') }} as permanent_since_text,
        {{ clean_code('version.current_district') }} as current_district,
        {{ clean_code('version.current_commune') }} as current_commune,
        {{ clean_code('version.status_code') }} as status_code,
        cast(version.updated_at at time zone 'Asia/Ho_Chi_Minh' as date) as updated_on,
        version._load_id
    from versions as version
),

read_dates as (
    select
        *,
        {{ to_day('permanent_since_text', 'dd/MM/yyyy') }} as permanent_since
    from cleaned
)

select distinct on (version.record_id)
    version.record_id,
    division.old_key,
    division.new_key,
    version._load_id as load_id
from read_dates as version
inner join {{ ref('stg_admin__division') }} as division
    on version.permanent_commune = division.old_code
    and {{ address_day('version.permanent_district', 'coalesce(version.permanent_since, version.updated_on)') }}
    between division.period_from and division.period_to
inner join {{ ref('stg_admin__commune_period') }} as abode
    on version.current_commune = abode.commune_code and division.new_key = abode.commune_key
    and {{ address_day('version.current_district', 'version.updated_on') }}
    between abode.period_from and abode.period_to
where
    coalesce(version.permanent_since < division.effective_on, true)
    and (version.status_code = '1' or version.updated_on >= division.effective_on)
order by version.record_id, version._load_id
