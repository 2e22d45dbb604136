-- The codes of level 4 that businesses use, and what stands above them. The register writes the name beside the code;
-- of levels 2 and 3 it names nothing.
with named as (
    select
        split_part(line.text, ':', 1) as code,
        mode() within group (order by btrim(substr(line.text, strpos(line.text, ':') + 1))) as name_vi
    from {{ ref('stg_business__enterprise') }} as enterprise
    cross join lateral string_to_table(enterprise.industries, ';') as line (text)
    where line.text like '____: %'
    group by split_part(line.text, ':', 1)
),

used as (
    select main_industry as code
    from {{ ref('stg_business__enterprise') }}
    where main_industry is not null

    union

    select main_industry as code
    from {{ ref('stg_business__household_business') }}
    where main_industry is not null

    union

    select code
    from named
    where {{ is_digits('code') }}
),

classes as (
    select
        used.code,
        named.name_vi,
        section.section
    from used
    {{ join_section('section', 'used.code') }}
    left join named on used.code = named.code
    where section.section is not null
),

levels as (
    select
        section as industry_code,
        1 as level_no,
        null as parent_code,
        section,
        name_vi
    from {{ ref('dim_industry') }}

    union all

    select distinct
        left(classes.code, depth.digits) as industry_code,
        depth.digits as level_no,
        case when depth.digits = 2 then classes.section else left(classes.code, depth.digits - 1) end as parent_code,
        classes.section,
        case when depth.digits = 4 then classes.name_vi end as name_vi
    from classes
    cross join (values (2), (3), (4)) as depth (digits)
)

select
    industry_code,
    level_no,
    parent_code,
    section,
    name_vi
from levels
