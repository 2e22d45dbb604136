{# Every table of every source contract: its key, its columns with their privacy classes, and their types. The list
comes from outside (khochung.transform.environment): while dbt parses, when refs are found, it does not yet know its own
sources. A test compares the two. #}
{% macro contract_tables() -%}
    {%- set found = [] -%}
    {%- for name in env_var('KHOCHUNG_DBT_TABLES').split() -%}
        {%- set parts = name.split('.') -%}
        {%- set table = contract_facts(parts[0], parts[-1]) -%}
        {%- do table.update({'source': parts[0], 'name': parts[-1]}) -%}
        {%- do found.append(table) -%}
    {%- endfor -%}
    {{ return(found) }}
{%- endmacro %}

{# Of one table: `columns`, column -> privacy class; `types`, column -> type; `codes`, column -> code list; `key`, its
columns. #}
{% macro contract_facts(source_name, table_name) -%}
    {%- set facts = {'columns': {}, 'types': {}, 'codes': {}, 'key': []} -%}
    {%- if execute -%}
        {%- for node in graph.sources.values() if node.source_name == source_name and node.name == table_name -%}
            {%- do facts.key.extend(node.config.meta.key or node.meta.key) -%}
            {%- for column in node.columns.values() -%}
                {%- do facts.columns.update({column.name: (column.config.meta or column.meta).privacy}) -%}
                {%- do facts.types.update({column.name: column.data_type}) -%}
                {%- set code_list = (column.config.meta or column.meta).code_list -%}
                {%- if code_list -%}{%- do facts.codes.update({column.name: code_list}) -%}{%- endif -%}
            {%- endfor -%}
        {%- endfor -%}
        {%- if not facts.columns -%}
            {{ exceptions.raise_compiler_error("no contract for " ~ source_name ~ "." ~ table_name ~ ": see models/staging") }}
        {%- endif -%}
    {%- endif -%}
    {{ return(facts) }}
{%- endmacro %}

{# A whole `select`: `columns` of every version of the rows of a source's table, the one in force and those that the loader
kept, without what stood deleted. `where` narrows both. #}
{% macro every_version(source_name, table_name, columns, where='true') -%}
    {%- set current = source(source_name, table_name) -%}
    {%- for relation in [current, current | string | replace(table_name ~ '"', table_name ~ '__history"')] %}
    select {{ columns | join(', ') }}
    from {{ relation }}
    where _deleted_at is null and {{ where }}
    {{- "\n\n    union all\n" if not loop.last }}
    {%- endfor %}
{%- endmacro %}

{# The texts that mean "nothing was said" in `<row>.<column>`, from the contract of the table whose base model is being
compiled, or tested: base_<source>__<table>, and what may follow after `__`. They come from outside: a unit test sees no
sources. #}
{% macro missing_texts(value) -%}
    {%- set texts = [''] -%}
    {%- if execute -%}
        {%- set name = (model.tested_node_unique_id or model.unique_id).split('.')[-1] | replace('base_', '', 1) -%}
        {%- set table = name.split('__')[:2] | join('__') -%}
        {%- set texts = fromjson(env_var('KHOCHUNG_DBT_MISSING')).get(table, {}).get(value.split('.')[-1]) -%}
        {%- if texts is none -%}
            {{ exceptions.raise_compiler_error(value ~ " is no column of the contract of " ~ table) }}
        {%- endif -%}
    {%- endif -%}
    {{ return(texts) }}
{%- endmacro %}

{# As much of a value as may be shown to the owner of the source: all of it where the contract says `none`; its shape
(# for a digit, x for a letter) where it is a quasi-identifier; only its length where it identifies or is sensitive. #}
{% macro mask_value(record, field, classes) -%}
    case
        when {{ field }} in ({{ quoted(classes, 'none') }}) then left({{ record }} ->> {{ field }}, 80)
        when {{ field }} in ({{ quoted(classes, 'quasi') }})
            then regexp_replace(regexp_replace(left({{ record }} ->> {{ field }}, 80), '[0-9]', '#', 'g'), '[[:alpha:]]', 'x', 'g')
        else length({{ record }} ->> {{ field }}) || ' ký tự'
    end
{%- endmacro %}

{# The columns of a row that anybody may see, as `name=value; …`, at most 200 letters, without lists. #}
{% macro open_values(record, classes) -%}
    (
        select left(string_agg(pair.key || '=' || left(pair.value, 40), '; ' order by pair.key), 200)
        from jsonb_each_text({{ record }}) as pair
        where pair.value <> '' and left(pair.value, 1) not in ('[', '{') and pair.key in ({{ quoted(classes, 'none') }})
    )
{%- endmacro %}

{% macro quoted(classes, wanted) -%}
    {%- set names = [''] -%}
    {%- for name, class in classes.items() if class == wanted -%}{%- do names.append(name) -%}{%- endfor -%}
    '{{ names | join("', '") }}'
{%- endmacro %}

{# The agency that owns a source, from its contract. #}
{% macro owner_agency(source_name) -%}
    {%- set owners = {} -%}
    {%- if execute -%}
        {%- for node in graph.sources.values() -%}
            {%- set meta = node.source_meta or node.config.meta -%}
            {%- if meta.owner_agency -%}{%- do owners.update({node.source_name: meta.owner_agency}) -%}{%- endif -%}
        {%- endfor -%}
    {%- endif -%}
    case {{ source_name }}
        {%- for name, owner in owners.items() %}
        when '{{ name }}' then '{{ owner }}'
        {%- else %}
        when '' then ''
        {%- endfor %}
    end
{%- endmacro %}

{# What the cursor of a refused row says, as a moment; null where its table has none, or it cannot be read. Local times
are of Việt Nam. #}
{% macro refused_cursor() -%}
    {%- set tables = [] -%}
    {%- if execute -%}
        {%- for node in graph.sources.values() if node.config.meta.cursor -%}{%- do tables.append(node) -%}{%- endfor -%}
    {%- endif -%}
    case concat_ws('.', source_name, table_name)
        {%- for node in tables %}
        {%- set cursor = node.config.meta.cursor %}
        when '{{ node.source_name }}.{{ node.name }}' then {{ moment("payload ->> '" ~ cursor ~ "'", node.columns[cursor].data_type) }}
        {%- else %}
        when '' then cast(null as timestamptz)
        {%- endfor %}
    end
{%- endmacro %}

{% macro moment(text, type) -%}
    case
        when pg_input_is_valid({{ text }}, '{{ type }}') and {{ text }} ~ '^ *[0-9]'
            then cast({{ text }} as {{ type }}){{ " at time zone 'Asia/Ho_Chi_Minh'" if type != 'timestamptz' }}
    end
{%- endmacro %}

{# True where two rows have one key: `held` is a row of raw, `payload` what a refused row held, as JSON. Compared as the
values that they are, so that the index of the key serves. #}
{% macro same_record(held, payload, table) -%}
    {%- for name in table.key %}
    {%- set text = payload ~ " ->> '" ~ name ~ "'" %}
    {{- " and " if not loop.first }}
    {%- if table.types[name] == 'text' %}{{ held }}.{{ name }} = {{ text }}
    {%- else %}{{ held }}.{{ name }} = case
        when pg_input_is_valid({{ text }}, '{{ table.types[name] }}') then cast({{ text }} as {{ table.types[name] }})
    end
    {%- endif %}
    {%- else %}true
    {%- endfor %}
{%- endmacro %}

{# The entry of the seed source_code for a code of one source, if there is one. Joined row: alias.conformed_code. #}
{% macro join_code(alias, source_name, code_list, code) -%}
    left join {{ ref('source_code') }} as {{ alias }}
        on
            {{ code }} = {{ alias }}.source_code
            and {{ alias }}.source_name = '{{ source_name }}' and {{ alias }}.code_list = '{{ code_list }}'
{%- endmacro %}

{# How often each code of a table's columns with a code list was sent, in one pass over its current records. `missing`: the
texts that mean "nothing was said" there. #}
{% macro codes_sent(table, relation) -%}
    {%- set missing = fromjson(env_var('KHOCHUNG_DBT_MISSING'))[table.source ~ '__' ~ table.name] -%}
    {%- set fields = table.codes | list -%}
    select
        '{{ table.source }}' as source_name,
        '{{ table.name }}' as table_name,
        {%- if fields %}
        label.field,
        label.code_list,
        btrim(sent.code) as code,
        label.missing,
        sent.records
    from (
        select
            grouping({{ fields | join(', ') }}) as place,
            coalesce(cast({{ fields | join(' as text), cast(') }} as text)) as code,
            count(*) as records
        from {{ relation }}
        where _deleted_at is null
        group by grouping sets (({{ fields | join('), (') }}))
    ) as sent
    inner join (
        values
        {%- for field in fields %}
        (
            {{ 2 ** (fields | length) - 1 - 2 ** (fields | length - loop.index) }}, '{{ field }}', '{{ table.codes[field] }}',
            array['{{ missing[field] | join("', '") }}']
        ){{ "," if not loop.last }}
        {%- endfor %}
    ) as label (place, field, code_list, missing) on sent.place = label.place
        {%- else %}
        null as field,
        null as code_list,
        null as code,
        cast(null as text []) as missing,
        0 as records
    from {{ relation }}
    where false
        {%- endif %}
{%- endmacro %}
