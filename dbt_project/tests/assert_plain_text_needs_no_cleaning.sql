-- Every letter of the basic plane, alone and between others: what `is_plain` lets pass, cleaning would leave as it is.
with letters as (
    select chr(code) as letter
    from generate_series(1, 65535) as code
    where code not between 55296 and 57343
),

texts as (
    select letters.letter || pattern.tail as value
    from letters
    cross join (values (''), ('a'), (' a'), (' ')) as pattern (tail)

    union all

    select 'a' || letters.letter || pattern.tail as value
    from letters
    cross join (values (''), ('b'), (' '), (chr(803)), (chr(770))) as pattern (tail)
)

select value
from texts
where {{ is_plain('value') }} and value <> {{ canonical_text('value') }}
