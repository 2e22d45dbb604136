{# One idea: text that people typed, in the form in which equal means equal.

Unicode NFC; Ð and Ɖ become Đ (they look the same); no-break and zero-width blanks and runs of blanks are reduced.
What the contract declares missing becomes null. `value`: `<row>.<column>` of the table that the model is about. #}
{% macro clean_text(value) -%}
    {{ present(value, "case when " ~ is_plain(value) ~ " then " ~ value ~ " else " ~ canonical_text(value) ~ " end") }}
{%- endmacro %}

{# True for a text that cleaning would leave as it is: composed letters of the Latin alphabet (without the look-alikes of
Đ) and ASCII, with single blanks inside only. It says so of most texts, at a tenth of the cost of cleaning them. #}
{% macro is_plain(value) -%}
    {{ value }} !~ U&'[^ -~\00C0-\00CF\00D1-\00EF\00F1-\0188\018A-\02AF\1EA0-\1EF9]|  |^ | $'
{%- endmacro %}

{% macro canonical_text(value) -%}
    btrim(replace(replace(replace(normalize(translate(
        {{ value }}, U&'\00D0\0189\00F0\00A0\0009\000A\000D\200B\200C\200D\FEFF', U&'\0110\0110\0111\0020\0020\0020\0020'
    ), nfc), '  ', U&' \0001'), U&'\0001 ', ''), U&'\0001', ''))
{%- endmacro %}

{# A code, without blanks around it. #}
{% macro clean_code(value) -%}
    {{ present(value, trimmed(value)) }}
{%- endmacro %}

{% macro trimmed(value) -%}
    btrim({{ value }}, U&' \00A0\200B\FEFF')
{%- endmacro %}

{# Null where `cleaned` is a text that means "nothing was said" in the column `value`. #}
{% macro present(value, cleaned) -%}
    {%- for text in missing_texts(value) -%} nullif( {%- endfor -%}
    {{ cleaned }}
    {%- for text in missing_texts(value) -%} , '{{ text | replace("'", "''") }}') {%- endfor -%}
{%- endmacro %}

{# True when the source filled a field with a word or a zero that means nothing. #}
{% macro is_placeholder(value) -%}
    (btrim({{ value }}) <> '' and {{ present(value, "btrim(" ~ value ~ ")") }} is null)
{%- endmacro %}

{# Only the digits 0-9, at least one. Cheaper than a regular expression; null stays null. #}
{% macro is_digits(value) -%}
    ({{ value }} <> '' and translate({{ value }}, '0123456789', '') = '')
{%- endmacro %}
