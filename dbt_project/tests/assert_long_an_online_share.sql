-- Long An reported 62,968 of 64,022 dossiers (98.35 %) filed online from 1/1 to 14/3/2024. Our press formula must
-- agree with the published figure; with too few dossiers (a test, a small province) it says nothing.
with dossiers as (
    select
        count(*) as received,
        100.0 * count(*) filter (where fact.is_online) / nullif(count(*), 0) as online_share
    from {{ ref('fct_dossier') }} as fact
    inner join {{ ref('dim_agency') }} as agency on fact.agency_key = agency.agency_key
    where
        agency.former_province = 'LA'
        and fact.is_received
        and fact.received_on between date '2024-01-01' and date '2024-03-14'
)

select *
from dossiers
where received >= 500 and abs(online_share - 98.35) > 0.5
