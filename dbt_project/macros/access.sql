{# Row policies of a model with `meta: {own_rows: {<column of ops.agency_account>: [<expression>, …]}}`: an agency sees the
rows in which one of the expressions names it, every other reader all of them. Of a shared model (`meta: {sharing: …}`,
khochung/sharing.py) it sees them only if the contract names it, and every query of its leaves a row in ops.access_log: the
policy asks for it, whatever the way to the table. A rebuilt table is a new one, so this is done with
each; khochung.access holds the catalogue against the YAML afterwards. #}
{% macro keep_rows_apart() -%}
    {%- set own_rows = model.config.meta.get('own_rows') -%}
    {%- if own_rows -%}
    {%- set sharing = model.config.meta.get('sharing') -%}
    {%- set others = model.config.grants.get('select', []) | reject('equalto', 'khochung_agency') | join(', ') -%}
    alter table {{ this }} enable row level security;
    drop policy if exists own_rows on {{ this }};
    drop policy if exists all_rows on {{ this }};
    {%- for known_as, expressions in own_rows.items() %}
    create policy own_rows on {{ this }} for select to khochung_agency using (
        (
        {%- for expression in expressions %}
        {{ expression }} in (select {{ known_as }} from ops.agency_account where role_name = current_user)
        {{- " or" if not loop.last }}
        {%- endfor %}
        )
        {%- if sharing and sharing.agencies != 'all' %}
        and current_user in ('khochung_agency_{{ sharing.agencies | join("', 'khochung_agency_") }}')
        {%- endif %}
        {%- if sharing %}
        and (select ops.record_access('{{ model.name }}'))
        {%- endif %}
    );
    {%- endfor %}
    create policy all_rows on {{ this }} for select to {{ others }} using (true)
    {%- endif -%}
{%- endmacro %}
