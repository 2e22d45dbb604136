-- From the month in which an agency has ended nothing is received there, and what it had was handed over. If this
-- fails, the source still names an agency that does not exist, and nobody answers for these dossiers.
{{ config(severity='warn', meta={
    'next_steps': 'Ask the owner of procedures.dossier who has these dossiers; complete seeds/agency_succession.csv.'
}) }}

select
    month.agency_key,
    month.month_start,
    sum(month.in_progress) as in_progress
from {{ ref('fct_dossier_month') }} as month
inner join {{ ref('dim_agency') }} as agency on month.agency_key = agency.agency_key
where cast(month.month_start + interval '1 month' as date) > agency.valid_to + 1 and month.in_progress > 0
group by month.agency_key, month.month_start
