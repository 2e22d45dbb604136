{# The issue log's vocabulary is seeds/issue_code.csv. Inside a base model an issue is `field|CODE|critical or nothing`.
`refuse`: the row cannot be used and goes to quarantine; the issue is critical. #}
{% macro issue(field, code, condition, refuse=false) -%}
    case when {{ condition }} then '{{ field }}|{{ code }}|{{ "critical" if refuse }}' end
{%- endmacro %}

{# What cleaning changed in text columns. The causes are looked for only where something changed: to read a column of the
whole row `_raw` costs as much as to clean it. #}
{% macro text_issues(columns) -%}
    {%- for column in columns -%}
    {%- set raw = "(_raw)." ~ column -%}
    case
        when {{ raw }} <> {{ column }} then nullif(concat_ws(
            ';',
            case when {{ raw }} is not nfc normalized then '{{ column }}|NOT_NFC|' end,
            case when translate({{ raw }}, U&'\00D0\0189\00F0', '') <> {{ raw }} then '{{ column }}|LEGACY_LETTER|' end,
            case
                when
                    strpos({{ raw }}, '  ') > 0 or btrim({{ raw }}) <> {{ raw }}
                    or translate({{ raw }}, U&'\00A0\0009\000A\000D\200B\200C\200D\FEFF', '') <> {{ raw }}
                    then '{{ column }}|WHITESPACE|'
            end
        ), '')
        when {{ column }} is null and {{ is_placeholder(raw) }} then '{{ column }}|PLACEHOLDER_VALUE|'
    end
    {{- "," if not loop.last }}
    {% endfor -%}
{%- endmacro %}

{# What can be wrong with one date. `text` is the cleaned text, `day` what was read from it.
`refuse`: without this date the row is of no use. `birth`: 1 January stands for a year. `year`: a bare year is in order.
`future`: may lie ahead. #}
{% macro date_issues(field, text, day, refuse=false, birth=false, year=false, future=false) -%}
    {{ issue(field, 'DATE_MALFORMED', text ~ " is not null and " ~ day ~ " is null", refuse) }},
    {%- if not year %}
    {{ issue(field, 'DATE_IMPRECISE', day ~ " is not null and " ~ (
        date_precision(text) ~ " = 'year'" if birth else "length(" ~ text ~ ") = 4"
    )) }},
    {%- endif %}
    {{ issue(field, 'DATE_EXCEL_SERIAL', "length(" ~ text ~ ") = 5 and " ~ day ~ " is not null") }}
    {%- if not future %},
    {{ issue(field, 'DATE_IN_FUTURE', day ~ " > " ~ as_of(), refuse) }}
    {%- endif %}
{%- endmacro %}

{# The issues of a row in one text, separated by semicolons; '' for a sound row. #}
{% macro issues(entries) -%}
    concat_ws(
        ';',
        {{ entries | join(",\n        ") }}
    )
{%- endmacro %}

{# The technical end of every base model: key, issues, verdict, and for a defective row what the source sent. #}
{% macro verdict() -%}
    _record_key,
    _issues,
    _issues like '%|critical%' as _refused,
    case when _issues <> '' then to_jsonb(_raw) end as _original
{%- endmacro %}

{# Keeps the planner from copying the expressions of a step into every place that uses them. #}
{% macro once() -%}
    offset 0
{%- endmacro %}

{# What a commune code meant on a day; see stg_admin__commune_period. Joined rows: alias.commune_key, alias.is_exact. #}
{% macro join_commune(alias, code, day) -%}
    left join {{ ref('stg_admin__commune_period') }} as {{ alias }}
        on {{ code }} = {{ alias }}.commune_code and {{ day }} between {{ alias }}.period_from and {{ alias }}.period_to
{%- endmacro %}

{# The day whose code list an address follows: its own day, but an address that names a district is of the three-level
system and one without is of the two-level system, whenever it was written down. #}
{% macro address_day(district, day) -%}
    case
        when {{ district }} is null then greatest({{ day }}, date '{{ var("two_level_from") }}')
        else least({{ day }}, date '{{ var("two_level_from") }}' - 1)
    end
{%- endmacro %}

{# Columns that came after the first issue logs, which cannot be built anew: they remember. #}
{% macro extend_issue_log(log) -%}
    {%- if is_incremental() -%}
    alter table {{ log }}
    add column if not exists open_since date,
    add column if not exists opened_build_id integer
    {%- endif -%}
{%- endmacro %}

{# How many issues of each kind a build found open, opened and closed: rows of ops.issue_trend, in the transaction of the
issue log itself, once per build. A build by hand, which ops.build does not know, leaves no trace. #}
{% macro record_issue_trend(log) -%}
    insert into ops.issue_trend (build_id, source_name, table_name, issue_code, open, opened, closed)
    select {{ of_build('build_id') }}, source_name, table_name, issue_code, open, opened, closed
    from (
        select
            source_name,
            table_name,
            issue_code,
            count(*) filter (where closed_at is null) as open,
            count(*) filter (where opened_build_id = {{ of_build('build_id') }}) as opened,
            count(*) filter (where closed_at is not null and build_id = {{ of_build('build_id') }}) as closed
        from {{ log }}
        group by source_name, table_name, issue_code
    ) as counted
    where
        open + opened + closed > 0
        and exists (select from ops.build where build_id = {{ of_build('build_id') }})
    on conflict (build_id, source_name, table_name, issue_code)
    do update set open = excluded.open, opened = excluded.opened, closed = excluded.closed
{%- endmacro %}
