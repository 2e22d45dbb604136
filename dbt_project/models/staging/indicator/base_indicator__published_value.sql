{{ config(materialized='table') }}

with cleaned as (
    select
        raw_row as _raw,
        raw_row.value_code as _record_key,
        {{ clean_code('raw_row.value_code') }} as value_code,
        {{ clean_code('raw_row.series_code') }} as series_code,
        {{ clean_code('raw_row.kind') }} as kind,
        {{ clean_text('raw_row.name_vi') }} as name_vi,
        {{ clean_text('raw_row.name_en') }} as name_en,
        {{ clean_code('raw_row.province_code') }} as province_code,
        {{ clean_code('raw_row.commune_code') }} as commune_code,
        {{ clean_code('raw_row.units_on') }} as units_on_text,
        {{ clean_code('raw_row.numerator') }} as numerator_text,
        {{ clean_code('raw_row.denominator') }} as denominator_text,
        {{ clean_code('raw_row.value') }} as value_text,
        {{ clean_code('raw_row.unit') }} as unit,
        {{ clean_code('raw_row.qualifier') }} as qualifier,
        {{ clean_code('raw_row.period_start') }} as period_start_text,
        {{ clean_code('raw_row.period_end') }} as period_end_text,
        {{ clean_text('raw_row.publisher') }} as publisher,
        {{ clean_text('raw_row.document') }} as document,
        {{ clean_code('raw_row.document_on') }} as document_on_text,
        {{ clean_text('raw_row.plan') }} as plan,
        {{ clean_text('raw_row.plan_version') }} as plan_version,
        {{ clean_code('raw_row.disagrees_with') }} as disagrees_with,
        {{ clean_text('raw_row.why_vi') }} as why_vi,
        {{ clean_text('raw_row.why_en') }} as why_en
    from {{ source('indicator', 'published_value') }} as raw_row
    where raw_row._deleted_at is null
    {{ once() }}
),

typed as (
    select
        *,
        {{ to_day('units_on_text', 'dd/MM/yyyy') }} as units_on,
        {{ to_number('numerator_text') }} as numerator,
        {{ to_number('denominator_text') }} as denominator,
        {{ to_number('value_text') }} as value,
        {{ to_day('period_start_text', 'dd/MM/yyyy') }} as period_start,
        {{ to_day('period_end_text', 'dd/MM/yyyy') }} as period_end,
        {{ to_day('document_on_text', 'dd/MM/yyyy') }} as document_on
    from cleaned
    {{ once() }}
),

-- A province that no list of ours has had by then is another's: its values are kept apart. Of a province of ours the
-- place must be in the list of the day.
provinces as (
    select
        unit_code,
        min(valid_from) as valid_from
    from {{ ref('stg_admin__unit') }}
    where level_code = 'TINH'
    group by unit_code
),

located as (
    select
        typed.*,
        province.unit_code is null as is_elsewhere,
        place.level_code || '-' || place.unit_code || '@' || place.valid_from as unit_key,
        other.value_code is not null as has_other
    from typed
    left join provinces as province
        on typed.province_code = province.unit_code and province.valid_from <= coalesce(typed.units_on, {{ as_of() }})
    left join {{ ref('stg_admin__unit') }} as place
        on
            coalesce(typed.commune_code, typed.province_code) = place.unit_code
            and case when typed.commune_code is null then 'TINH' else 'XA' end = place.level_code
            and typed.province_code = place.province_code
            and typed.units_on between place.valid_from and place.valid_to
    left join {{ source('indicator', 'published_value') }} as other
        on typed.disagrees_with = other.value_code and other._deleted_at is null
    {{ once() }}
),

checked as (
    select
        *,
        {{ issues([
            text_issues(['name_vi', 'name_en', 'publisher', 'document', 'plan', 'why_vi', 'why_en']),
            issue('series_code', 'PLACEHOLDER_VALUE', 'series_code is null', refuse=true),
            issue('kind', 'CODE_UNKNOWN', "coalesce(kind, '') not in ('reported', 'target')", refuse=true),
            issue('unit', 'CODE_UNKNOWN', "coalesce(unit, '') not in ('percent', 'count', 'points', 'rank')", refuse=true),
            issue(
                'qualifier', 'CODE_UNKNOWN', "coalesce(qualifier, '') not in ('exact', 'about', 'over', 'nearly')",
                refuse=true
            ),
            issue('province_code', 'PLACEHOLDER_VALUE', 'province_code is null', refuse=true),
            issue(
                'province_code', 'CODE_UNKNOWN', 'not is_elsewhere and unit_key is null and commune_code is null',
                refuse=true
            ),
            issue(
                'commune_code', 'CODE_UNKNOWN', 'not is_elsewhere and unit_key is null and commune_code is not null',
                refuse=true
            ),
            issue('value', 'NUMBER_FORMAT', 'value is null', refuse=true),
            issue('numerator', 'NUMBER_FORMAT', 'numerator_text is not null and numerator is null'),
            issue('denominator', 'NUMBER_FORMAT', 'denominator_text is not null and denominator is null'),
            date_issues('units_on', 'units_on_text', 'units_on', future=true),
            date_issues('period_start', 'period_start_text', 'period_start', refuse=true, future=true),
            issue('period_end', 'PLACEHOLDER_VALUE', 'period_end_text is null', refuse=true),
            date_issues('period_end', 'period_end_text', 'period_end', refuse=true, future=true),
            issue('period_end', 'DATE_ORDER', 'period_end < period_start', refuse=true),
            issue('publisher', 'PLACEHOLDER_VALUE', 'publisher is null', refuse=true),
            issue('document', 'PLACEHOLDER_VALUE', 'document is null', refuse=true),
            date_issues('document_on', 'document_on_text', 'document_on'),
            issue('plan', 'PLACEHOLDER_VALUE', "kind = 'target' and plan is null", refuse=true),
            issue('disagrees_with', 'REFERENCE_MISSING', 'disagrees_with is not null and not has_other'),
            issue(
                'why_vi', 'PLACEHOLDER_VALUE', 'disagrees_with is not null and (why_vi is null or why_en is null)'
            ),
        ]) }} as _issues
    from located
    {{ once() }}
)

select
    value_code,
    series_code,
    kind,
    name_vi,
    name_en,
    province_code,
    commune_code,
    unit_key,
    is_elsewhere,
    unit,
    qualifier,
    value,
    numerator,
    denominator,
    period_start,
    period_end,
    publisher,
    document,
    document_on,
    plan,
    plan_version,
    case when has_other then disagrees_with end as disagrees_with,
    why_vi,
    why_en,
    {{ verdict() }}
from checked
