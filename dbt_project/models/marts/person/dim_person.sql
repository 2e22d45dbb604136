-- Who is named in the registers, without anything that tells one from the next: what is known of a person is shared by
-- as many as a published count needs, else the years are withheld.
with people as (
    select
        person.person_key,
        case person.sex when 1 then 'male' when 2 then 'female' else 'unknown' end as sex,
        person.birth_year / 10 * 10 as decade,
        -- A departure that the register's status does not know of yet.
        case
            when person.residence_status = 'resident' and home.record_id is null then 'moved_out'
            else person.residence_status
        end as residence_status,
        home.commune_key,
        home.household_key
    from {{ ref('int_person__person') }} as person
    left join {{ ref('int_population__home') }} as home
        on person.resident_record_id = home.record_id and person.residence_status = 'resident'
),

banded as (
    select
        *,
        case
            when decade < 1940 then '..1939'
            else decade || '-' || decade + 9
        end as birth_year_band
    from people
    {{ once() }}
),

crowds as (
    select
        coalesce(commune_key, '') as place,
        sex,
        residence_status,
        birth_year_band
    from banded
    group by coalesce(commune_key, ''), sex, residence_status, birth_year_band
    having count(*) >= {{ var('disclosure_threshold') }}
)

select
    banded.person_key,
    banded.sex,
    coalesce(crowds.birth_year_band, 'unknown') as birth_year_band,
    banded.residence_status,
    banded.residence_status = 'resident' as is_resident,
    case banded.residence_status when 'dead' then false when 'resident' then true end as is_alive,
    banded.commune_key,
    banded.household_key
from banded
left join crowds
    on
        coalesce(banded.commune_key, '') = crowds.place
        and banded.sex = crowds.sex
        and banded.residence_status = crowds.residence_status
        and banded.birth_year_band = crowds.birth_year_band
