{# One idea: text that people typed, in the form in which equal means equal.

Unicode NFC; Ð and Ɖ become Đ (they look the same); no-break and zero-width blanks and runs of blanks are reduced.
The words that sources use for "nothing" become null. #}
{% macro clean_text(value) -%}
    {{ present(
        "btrim(replace(replace(replace(normalize(translate(" ~ value ~ ", "
        ~ "U&'\\00D0\\0189\\00F0\\00A0\\0009\\000A\\000D\\200B\\200C\\200D\\FEFF', U&'\\0110\\0110\\0111\\0020\\0020\\0020\\0020'), nfc), "
        ~ "'  ', U&' \\0001'), U&'\\0001 ', ''), U&'\\0001', ''))"
    ) }}
{%- endmacro %}

{# A code, without blanks around it. `zero`: the source writes "0" for nothing here. #}
{% macro clean_code(value, zero=false) -%}
    {%- set code = present("btrim(" ~ value ~ ", U&' \\00A0\\200B\\FEFF')") -%}
    {{ "nullif(" ~ code ~ ", '0')" if zero else code }}
{%- endmacro %}

{# Null for the words that sources write in place of a missing value. #}
{% macro present(value) -%}
    nullif(nullif(nullif(nullif({{ value }}, ''), 'null'), 'Không rõ'), 'không rõ')
{%- endmacro %}

{# True when the source filled a field with a word or a zero that means nothing. #}
{% macro is_placeholder(value, zero=true) -%}
    btrim({{ value }}) in ('null', 'Không rõ', 'không rõ'{{ ", '0'" if zero }})
{%- endmacro %}

{# Only the digits 0-9, at least one. Cheaper than a regular expression; null stays null. #}
{% macro is_digits(value) -%}
    ({{ value }} <> '' and translate({{ value }}, '0123456789', '') = '')
{%- endmacro %}
