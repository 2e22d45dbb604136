{# Dates, read by the format that the contract declares, with what they are sure of.

Every macro takes a cleaned text. Nothing is guessed: besides the declared format only the two spellings are read that
spreadsheets and old registers make of it, the serial number and the bare year, and both are logged. #}

{# The ISO spelling of a text in `format`; meaningless unless the length fits. #}
{% macro iso_spelling(value, format) -%}
    {%- if format == 'dd/MM/yyyy' -%}
        substr({{ value }}, 7, 4) || '-' || substr({{ value }}, 4, 2) || '-' || substr({{ value }}, 1, 2)
    {%- elif format == 'ddMMyyyy' -%}
        substr({{ value }}, 5, 4) || '-' || substr({{ value }}, 3, 2) || '-' || substr({{ value }}, 1, 2)
    {%- elif format == 'yyyy-MM-dd' -%}
        {{ value }}
    {%- elif format == 'yyyyMMddHHmmss' -%}
        substr({{ value }}, 1, 8) || ' ' || substr({{ value }}, 9, 2) || ':' || substr({{ value }}, 11, 2) || ':' || substr({{ value }}, 13, 2)
    {%- else -%}
        {{ exceptions.raise_compiler_error("date format " ~ format ~ " is not known: add it to macros/dates.sql") }}
    {%- endif -%}
{%- endmacro %}

{# A date, or null when the text is none. A bare year gives its first day. #}
{% macro to_day(value, format) -%}
    {%- set iso = iso_spelling(value, format) -%}
    case
        when length({{ value }}) = 10 then
            case when pg_input_is_valid({{ iso }}, 'date') then cast({{ iso }} as date) end
        when {{ is_digits(value) }} then
            case
                when length({{ value }}) = 4 and {{ value }} > '1850'
                    then make_date(cast({{ value }} as integer), 1, 1)
                when length({{ value }}) = 5
                    then date '1899-12-30' + cast({{ value }} as integer)
                when length({{ value }}) = 8 and pg_input_is_valid({{ iso_spelling(value, 'ddMMyyyy') }}, 'date')
                    then cast({{ iso_spelling(value, 'ddMMyyyy') }} as date)
            end
    end
{%- endmacro %}

{# A local time (Việt Nam, UTC+7), or null when the text is none. `iso`: ISO 8601 with its zone, which
must be there: without one nobody knows which day was meant. #}
{% macro to_local_time(value, format='yyyyMMddHHmmss') -%}
    case
        {%- if format == 'iso' %}
        when {{ value }} ~ '^[0-9]{4}-[0-9]{2}-[0-9]{2}T.*(Z|[+-][0-9]{2}:?[0-9]{2})$'
            and pg_input_is_valid({{ value }}, 'timestamptz')
            then cast({{ value }} as timestamptz) at time zone 'Asia/Ho_Chi_Minh'
        {%- else %}
        {%- set iso = iso_spelling(value, format) %}
        when length({{ value }}) = 14 and pg_input_is_valid({{ iso }}, 'timestamp') then cast({{ iso }} as timestamp)
        {%- endif %}
    end
{%- endmacro %}

{# How much of the date is known: day or year. 1 January stands for "some day of that year" in old registers. #}
{% macro date_precision(value) -%}
    case
        when length({{ value }}) = 4 or left({{ value }}, 6) = '01/01/' then 'year'
        when {{ value }} is not null then 'day'
    end
{%- endmacro %}

{# Month as a running number (year × 12 + month): ages and stocks are counted in it, without date arithmetic. #}
{% macro month_number(day) -%}
    cast(extract(year from {{ day }}) * 12 + extract(month from {{ day }}) - 1 as integer)
{%- endmacro %}

{% macro month_start(number) -%}
    make_date(({{ number }}) / 12, ({{ number }}) % 12 + 1, 1)
{%- endmacro %}

{% macro month_end(number) -%}
    cast({{ month_start(number) }} + interval '1 month - 1 day' as date)
{%- endmacro %}

{% macro as_of() -%}
    date '{{ of_build("as_of") }}'
{%- endmacro %}

{# The month before the series: it holds the opening stock. #}
{% macro opening_month() -%}
    {{ month_number("date '" ~ var('first_month') ~ "'") }} - 1
{%- endmacro %}

{# The last month whose end has come. #}
{% macro last_month() -%}
    {{ month_number("(" ~ as_of() ~ " + 1)") }} - 1
{%- endmacro %}
