-- The list that macros/contracts.sql is given names every table of every source contract. If this fails, a source was
-- added whose defects nobody would see.
{%- set missing = [] -%}
{%- if execute -%}
    {%- set listed = [] -%}
    {%- for table in contract_tables() -%}{%- do listed.append(table.source ~ '.' ~ table.name) -%}{%- endfor -%}
    {%- for node in graph.sources.values() if node.path.startswith('models/staging') -%}
        {%- set name = node.source_name ~ '.' ~ node.name -%}
        {%- if name not in listed -%}{%- do missing.append(name) -%}{%- endif -%}
    {%- endfor -%}
{%- endif %}
select missing.name
from string_to_table('{{ missing | join(" ") }}', ' ') as missing (name)
where missing.name <> ''
-- depends_on: {{ ref('reconciliation') }}
