-- Every division of VSIC 2018 has a section and a successor, and the sections agree with the list of sections. If this
-- fails, enterprises drop out of a series that crosses 15/11/2025.
with divisions as (
    select
        section.section,
        lpad(cast(number as text), 2, '0') as division
    from {{ ref('vsic_section') }} as section
    cross join lateral generate_series(
        cast(section.first_division as integer), cast(section.last_division as integer)
    ) as number
    -- Numbers that VSIC 2018 leaves out inside its sections' ranges.
    where number <> 4
)

select
    divisions.division,
    divisions.section,
    bridge.section_2018
from divisions
full join {{ ref('bridge_industry') }} as bridge on divisions.division = bridge.division_2018
where divisions.section is distinct from bridge.section_2018
