-- How many household businesses of a section a commune had from one month to another.
with spells as (
    select
        origin_key,
        path_no,
        section,
        from_month,
        until_month,
        count(*) as household_businesses
    from {{ ref('int_business__household') }}
    group by origin_key, path_no, section, from_month, until_month
)

{{ stays_on_paths(dimensions=['section'], measures=['household_businesses']) }}
