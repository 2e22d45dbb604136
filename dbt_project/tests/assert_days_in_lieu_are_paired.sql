-- A day off in lieu stands for a statutory day on a weekend, and each such day has one (Điều 111 khoản 3); a Saturday
-- that is worked stands for a working day that was given off. If this fails, offices are open on the wrong day.
with holidays as (
    select
        day,
        kind,
        paired_with,
        extract(isodow from day) > 5 as is_weekend
    from {{ ref('public_holiday') }}
)

select
    holidays.day,
    holidays.kind,
    holidays.paired_with
from holidays
left join holidays as pair
    on
        holidays.day = pair.paired_with and holidays.kind in ('statutory', 'swapped', 'working')
        or holidays.paired_with = pair.day and holidays.kind = 'in_lieu'
where
    (holidays.kind = 'statutory' and holidays.is_weekend and pair.kind is distinct from 'in_lieu')
    or (holidays.kind = 'statutory' and not holidays.is_weekend and pair.day is not null)
    or (holidays.kind = 'in_lieu' and (holidays.is_weekend or pair.kind is distinct from 'statutory'))
    or (
        holidays.kind = 'swapped'
        and (holidays.is_weekend or pair.kind is distinct from 'working' or holidays.paired_with <> pair.day)
    )
    or (
        holidays.kind = 'working'
        and (not holidays.is_weekend or pair.kind is distinct from 'swapped' or holidays.paired_with <> pair.day)
    )
