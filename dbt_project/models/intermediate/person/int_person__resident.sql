{{ config(
    materialized='incremental', incremental_strategy='differences', unique_key='record_id', on_schema_change='fail',
    pre_hook='{{ gather_scope() }}', meta={'tells': ['person_key', 'personal_id', 'id_card']}
) }}

-- Residents with what other registers may know them by. A number or a card that two of them show knows nobody, and the
-- person is then known by the record alone. A record that another of the same person supersedes is no second person.
with residents as (
    select
        record_id,
        {{ usable_number('personal_id') }} as personal_id,
        length(id_text) = 11 as is_recovered,
        {{ usable_card('old_id_card') }} as id_card,
        cast(extract(year from birth_date) as integer) as birth_year,
        case when sex_code in ('1', '2') then cast(sex_code as integer) end as sex,
        status_code,
        cast(updated_at at time zone 'Asia/Ho_Chi_Minh' as date) as updated_on,
        _refused
    from {{ ref('base_population__resident') }}
    where
        _issues not like '%|ID\_DUPLICATE|critical%'
        {%- if execute and goes_on() %}
        -- With everybody who shows the number or the card of one in scope.
        and (
            true{{ in_scope('record_id') }}
            {%- for shown in ['personal_id', 'old_id_card'] %}
            or ({{ shown }} in (
                select bearer.{{ shown }}
                from {{ ref('base_population__resident') }} as bearer
                where true{{ in_scope('bearer.record_id') }}
            )) is true
            {%- endfor %}
        )
        {%- endif %}
    {{ once() }}
),

shared_numbers as (
    select personal_id
    from residents
    where personal_id is not null
    group by personal_id
    having count(*) > 1
),

shared_cards as (
    select id_card
    from residents
    where id_card is not null
    group by id_card
    having count(*) > 1
),

deaths as (
    select
        record_id,
        min(event_date) as died_on
    from {{ ref('stg_population__event') }}
    where event_type = 'KT'{{ in_scope('record_id') }}
    group by record_id
),

known as (
    select
        residents.*,
        case
            when residents.personal_id is not null
                then residents.personal_id in (select shared_numbers.personal_id from shared_numbers)
        end as number_is_shared,
        case
            when residents.id_card is not null then residents.id_card in (select shared_cards.id_card from shared_cards)
        end as card_is_shared,
        -- Dead without an event that says when: not after the day of the register's last word.
        coalesce(deaths.died_on, case when residents.status_code = '2' then residents.updated_on end) as died_on,
        'record ' || residents.record_id as own_name
    from residents
    left join deaths on residents.record_id = deaths.record_id
    where not residents._refused{{ in_scope('residents.record_id') }}
    {{ once() }}
)

select
    record_id,
    {{ pseudonym('person', "coalesce(case when not number_is_shared then personal_id end, own_name)") }} as person_key,
    personal_id,
    number_is_shared,
    is_recovered,
    id_card,
    card_is_shared,
    birth_year,
    sex,
    status_code,
    died_on
from known
