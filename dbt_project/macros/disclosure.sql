{# How counts of people and dossiers are protected, the cell-key method: every record has a number drawn once for ever, a
cell's key is the sum of the numbers of whom it counts, and the key decides the noise (seed `perturbation`). The same
people counted in any table, on any day, get the same noise; one more or less, and it is another one. See
docs/disclosure.md. #}

{# The number of a record, 0 to 2^28 - 1: of an HMAC, so that nobody who knows the identifier knows the number. #}
{% macro record_draw(kind, identifier) -%}
    cast(
        cast('x' || left(encode({{ hmac_sha256("'draw " ~ kind ~ "|' || " ~ identifier, session_key('noise')) }}, 'hex'), 7) as bit(28))
        as integer
    )
{%- endmacro %}

{# The key of a cell, from the numbers of its records or the keys of its parts. #}
{% macro cell_key(draws) -%}
    cast(sum({{ draws }}) % 268435456 as integer)
{%- endmacro %}

{# A count with its noise. Nobody counted stays nobody. #}
{% macro perturbed(count, cell_key) -%}
    (
        {{ count }} + case
            when {{ count }} > 0
                then (
                    select step.noise from {{ ref('perturbation') }} as step
                    where {{ cell_key }} between step.first_key and step.last_key
                )
            else 0
        end
    )
{%- endmacro %}

{# What may be published of a count: null where it is small, with its noise or without, so that a published number means
that many and an absent one is not known to be below the threshold. #}
{% macro publishable(count, cell_key) -%}
    case
        when
            least({{ count }}, {{ perturbed(count, cell_key) }}) >= {{ var('disclosure_threshold') }}
            then {{ perturbed(count, cell_key) }}
    end
{%- endmacro %}
