-- What two registers say differently of one person. It is an issue of the record whose register ranks lower: its owner
-- compares it with the papers.
with disputed as (
    select * from {{ ref('int_person__person') }}
    where birth_years_differ or sexes_differ or outlives_death
),

-- A right on a parcel that was split or merged away is history, and its holder may be dead.
ended_rights as (
    select cast(land_right.right_id as text) as record_key
    from {{ ref('base_land__land_right') }} as land_right
    inner join {{ ref('base_land__parcel') }} as parcel on land_right.parcel_id = parcel.parcel_id
    where not parcel.is_in_force
),

compared as (
    select
        link.register,
        link.record_key,
        link.birth_year <> person.birth_year as birth_year_differs,
        link.sex <> person.sex as sex_differs,
        {{ acted_until('link.active_on') }} > person.died_on
        and not (
            link.register = 'land_right' and link.record_key in (select ended_rights.record_key from ended_rights)
        ) as is_dead,
        person.resident_record_id
    from {{ ref('int_person__link') }} as link
    inner join disputed as person on link.person_key = person.person_key

    union all

    select
        register,
        record_key,
        true as birth_year_differs,
        false as sex_differs,
        false as is_dead,
        null as resident_record_id
    from {{ ref('int_person__link') }}
    where reason = 'card_contradicted'
),

found as (
    select
        compared.*,
        kind.*
    from compared
    cross join lateral (
        values
        ('birth_year', 'BIRTH_YEAR_DIFFERS', compared.birth_year_differs),
        ('sex', 'SEX_DIFFERS', compared.sex_differs),
        ('life_status', 'PERSON_DEAD', compared.is_dead)
    ) as kind (attribute, issue_code, holds)
    where kind.holds
),

-- A death is the resident register's word against that of the record; the other attributes were ranked already.
placed as (
    select
        found.record_key,
        found.resident_record_id,
        found.issue_code,
        coalesce(found.attribute = 'life_status' and registry.rank > own.rank, false) as is_registry_weaker,
        own.register,
        own.source_name,
        own.table_name,
        own.field,
        registry.source_name as registry_source_name,
        registry.table_name as registry_table_name,
        registry.field as registry_field
    from found
    inner join {{ ref('authority_ranking') }} as own
        on found.attribute = own.attribute and found.register = own.register
    left join {{ ref('authority_ranking') }} as registry
        on found.attribute = registry.attribute and registry.register = 'resident'
),

shared_cards as (
    select record_id as record_key
    from {{ ref('int_person__resident') }}
    where card_is_shared
)

select distinct
    case when is_registry_weaker then registry_source_name else source_name end as source_name,
    case when is_registry_weaker then registry_table_name else table_name end as table_name,
    case when is_registry_weaker then resident_record_id else record_key end as record_key,
    case when is_registry_weaker then registry_field else field end as field,
    issue_code,
    -- An inheritance is registered when the estate has been divided, and for that there is no time limit.
    case when issue_code = 'PERSON_DEAD' and register = 'land_right' then 'info' end as raised_severity
from placed

union all

select
    'population' as source_name,
    'resident' as table_name,
    record_key,
    'old_id_card' as field,
    'ID_CARD_SHARED' as issue_code,
    null as raised_severity
from shared_cards
