-- People who live in the province today are those whom the monthly stock counts, when today ends a month. If this
-- fails, dim_person and fct_resident_month tell analysts two numbers.
with people as (
    select
        commune_key,
        count(*) as residents
    from {{ ref('dim_person') }}
    where is_resident
    group by commune_key
),

stock as (
    select
        present_commune_key as commune_key,
        sum(residents) as residents
    from {{ ref('fct_resident_month') }}
    where month_end = {{ as_of() }}
    group by present_commune_key
    having sum(residents) > 0
)

select
    people.*,
    stock.residents as stock
from people
full join stock on people.commune_key = stock.commune_key
where
    people.residents is distinct from stock.residents
    and {{ as_of() }} = {{ month_end(last_month()) }}
