{# Số định danh cá nhân, 12 digits PPP C YY RRRRRR, without a check digit (Luật Căn cước 26/2023; NĐ 137/2015):
PPP province of birth registration, C century and sex (0/1 male/female 19xx, 2/3 20xx), YY year of birth. #}
{% macro id_has_shape(id) -%}
    (length({{ id }}) = 12 and {{ is_digits(id) }} and substr({{ id }}, 4, 1) < '4')
{%- endmacro %}

{# Year of birth inside a well-shaped personal id. #}
{% macro id_birth_year(id) -%}
    1900 + 100 * (cast(substr({{ id }}, 4, 1) as integer) / 2) + cast(substr({{ id }}, 5, 2) as integer)
{%- endmacro %}

{# 1 male, 2 female: the sex inside a well-shaped personal id, coded as GioiTinh. #}
{% macro id_sex_code(id) -%}
    cast(cast(substr({{ id }}, 4, 1) as integer) % 2 + 1 as text)
{%- endmacro %}

{# The id that was meant, or null. Blanks and dots go; of eleven digits the lost zero comes back, but only when the
result passes: the province exists, and century, year and sex agree with the register.
`birth_year` (integer) and `sex_code` may be null: then they do not speak against it. #}
{% macro recover_personal_id(id, birth_year='null', sex_code='null') -%}
    {%- set padded = "'0' || " ~ id -%}
    case
        when {{ id_has_shape(id) }} then {{ id }}
        when length({{ id }}) = 11 and {{ is_digits(id) }} and {{ id_has_shape("(" ~ padded ~ ")") }} then
            case
                when left({{ padded }}, 3) in (select code from {{ ref('birth_place_code') }})
                    and coalesce({{ id_birth_year("(" ~ padded ~ ")") }} = {{ birth_year }}, true)
                    and coalesce({{ sex_code }} not in ('1', '2') or {{ id_sex_code("(" ~ padded ~ ")") }} = {{ sex_code }}, true)
                    then {{ padded }}
            end
    end
{%- endmacro %}

{# Mã số thuế, 10 digits: weights 31 29 23 19 17 13 7 5 3, last digit = 10 − sum mod 11 (TT 86/2024/TT-BTC).
A remainder of 0 would give 10: such a serial is never assigned, and the comparison fails by itself. #}
{% macro tax_code_is_valid(code) -%}
    (
        length({{ code }}) = 10 and {{ is_digits(code) }}
        and 10 - (
            {%- for weight in [31, 29, 23, 19, 17, 13, 7, 5, 3] %}
            {{ weight }} * (ascii(substr({{ code }}, {{ loop.index }}, 1)) - 48){{ " +" if not loop.last }}
            {%- endfor %}
        ) % 11 = ascii(substr({{ code }}, 10, 1)) - 48
    )
{%- endmacro %}

{# Mã TTHC: digit 1-3, dot, six digits; a local suffix such as .000.00.00.H39 names the edition, not the procedure. #}
{% macro national_procedure_code(code) -%}
    case
        when substr({{ code }}, 2, 1) = '.' and left({{ code }}, 1) between '1' and '3'
            and length({{ code }}) >= 8 and {{ is_digits("substr(" ~ code ~ ", 3, 6)") }}
            then left({{ code }}, 8)
    end
{%- endmacro %}

{# VSIC code of level 4. Of three digits the leading zero was lost: agriculture and mining have codes 01 to 09, and the
registry keeps level 4. #}
{% macro vsic_code(code) -%}
    case
        when not {{ is_digits(code) }} then null
        when length({{ code }}) = 3 then '0' || {{ code }}
        when length({{ code }}) in (4, 5) then left({{ code }}, 4)
    end
{%- endmacro %}

{# The section of VSIC 2018 whose codes include this one, or nothing. #}
{% macro join_section(alias, code) -%}
    left join {{ ref('vsic_section') }} as {{ alias }}
        on {{ code }} between {{ alias }}.first_code and {{ alias }}.last_code
{%- endmacro %}
