-- What was reported is of a commune and not of people, so history goes to the present communes by the shares of people.
select
    report.commune_key,
    report.reported_on,
    cast(report.eligible as integer) as eligible,
    cast(report.level_1 as integer) as level_1,
    cast(report.level_2 as integer) as level_2,
    agency.agency_key,
    unit.former_province,
    -- Nobody is told of one by one: the report's own numbers decide the noise of its counts, for ever.
    {{ record_draw('identity eligible', "report.commune_key || '|' || report.reported_on") }} as eligible_draw,
    {{ record_draw('identity level 2', "report.commune_key || '|' || report.reported_on") }} as level_2_draw
from {{ ref('stg_identity__commune_report') }} as report
inner join {{ ref('dim_administrative_unit') }} as unit on report.commune_key = unit.commune_key
left join {{ ref('dim_agency') }} as agency
    on
        report.commune_key = agency.commune_key
        and report.reported_on between agency.valid_from and coalesce(agency.valid_to, 'infinity')
