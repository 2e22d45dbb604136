{# Keys of this warehouse are hashes of what the source calls a record: the same after every rebuild. #}
{% macro parcel_key(parcel_id) -%}
    cast(md5('parcel ' || {{ parcel_id }}) as uuid)
{%- endmacro %}

{# The series of a certificate, by the shape of its serial: two letters and eight digits since 1/1/2025 (TT 10/2024),
two and six before, one letter and six or seven digits on the oldest. Blanks do not count. #}
{% macro certificate_class(serial) -%}
    {%- set plain = "translate(" ~ serial ~ ", '0123456789 ', '9999999999')" -%}
    case
        when {{ serial }} is null then 'none'
        when substr({{ plain }}, 3) = '99999999' then 'two letters, eight digits'
        when substr({{ plain }}, 3) = '999999' then 'two letters, six digits'
        when substr({{ plain }}, 2) in ('999999', '9999999') then 'one letter'
        else 'other'
    end
{%- endmacro %}
