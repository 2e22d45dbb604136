{# Which rows of a model have to be made anew, after what: `key` as the model has it, `origin` as its source has it. See
macros/incremental.sql. Each says every way by which a row may come out differently; what it names needlessly is made anew
and found to be the same. #}

{# A resident; whoever shares a number or a card with one, or did; whose death an event tells. #}
{% macro scope_of_int_person__resident() -%}
    select known.record_id, known.record_id
    from (
        {{ changed('base_population__resident', '_record_key') }}
        union all
        {{ changed('base_population__event', 'record_id') }}
        union all
        select bearer.record_id
        from {{ ref('base_population__resident') }} as bearer
        where
            (bearer.personal_id in ({{ changed('base_population__resident', 'personal_id') }})) is true
            or (bearer.old_id_card in ({{ changed('base_population__resident', 'old_id_card') }})) is true
    ) as known (record_id)
{%- endmacro %}

{# A record that names a person; one that shows the number or the card of a resident who changed. Keys of two registers
that are alike are looked at both. #}
{% macro scope_of_int_person__link() -%}
    {%- set shown = {
        'base_land__land_right': ['personal_id', 'holder_id_text'],
        'base_business__household_business': ['owner_id', 'owner_id_text', 'business_personal_id', 'business_code_text'],
        'base_procedures__dossier': ['applicant_id', 'applicant_id_text'],
    } -%}
    select known.record_key, known.record_key
    from (
        {{ changed('int_person__resident', 'record_id') }}
        union all
        -- The register of enterprises is small and built whole: all of its records are looked at.
        select base._record_key from {{ ref('base_business__enterprise') }} as base
        union all
        select link.record_key from {{ this }} as link where link.register = 'enterprise'
        {%- for relation, columns in shown.items() %}
        union all
        {{ changed(relation, '_record_key') }}
        union all
        select base._record_key
        from {{ ref(relation) }} as base
        where
            {%- for column in columns %}
            (base.{{ column }} in (
                {{ changed('int_person__resident', 'personal_id') }} union all {{ changed('int_person__resident', 'id_card') }}
            )) is true{{ " or" if not loop.last }}
            {%- endfor %}
        {%- endfor %}
    ) as known (record_key)
{%- endmacro %}

{# Who is linked, or was; and the dead, whom a record shows acting from the day after their death. #}
{% macro scope_of_int_person__person() -%}
    select cast(known.person_key as uuid), cast(known.person_key as uuid)
    from (
        {{ changed('int_person__link', 'person_key') }}
        union all
        {{ changed('int_person__resident', 'person_key') }}
        union all
        select cast(person.person_key as text) from {{ this }} as person where person.died_on is not null and not person.outlives_death
    ) as known (person_key)
{%- endmacro %}

{# A resident or one of their events; and whom the shares of former communes, which follow the residents, place in
another one: those for whom the draw decides, and when paths have changed perhaps others. #}
{% macro scope_of_int_population__spell() -%}
    select known.record_id, known.record_id
    from (
        {{ changed('base_population__resident', '_record_key') }}
        union all
        {{ changed('base_population__event', 'record_id') }}
        union all
        select spell.record_id
        from {{ this }} as spell
        inner join {{ ref('int_territory__predecessor') }} as predecessor
            on
                spell.known_present_key = predecessor.commune_key
                and {{ fixed_draw('spell.record_id') }} >= predecessor.low
                and {{ fixed_draw('spell.record_id') }} < predecessor.high
        where
            (spell.is_drawn or exists ({{ changed('int_territory__path', 'origin_key') }}))
            and spell.start_cause = 'register_entry' and spell.commune_key <> predecessor.origin_key
    ) as known (record_id)
{%- endmacro %}

{# Paths change when the shares of a divided commune come to be decided, and then for all who lived there. #}
{% macro scope_of_int_population__stay() -%}
    select known.record_id, known.record_id
    from (
        {{ changed('int_population__spell', 'record_id') }}
        union all
        select spell.record_id
        from {{ ref('int_population__spell') }} as spell
        where spell.commune_key in ({{ changed('int_territory__path', 'origin_key') }})
    ) as known (record_id)
{%- endmacro %}

{% macro scope_of_int_territory__path() -%}
    select path.origin_key, path.origin_key from {{ this }} as path
{%- endmacro %}

{% macro scope_of_int_population__home() -%}
    select told.value, told.value
    from (
        {{ changed('int_population__spell', 'record_id') }}
        union all
        {{ changed('base_population__resident', '_record_key') }}
        union all
        select spell.record_id
        from {{ ref('int_population__spell') }} as spell
        where spell.commune_key in ({{ changed('int_territory__path', 'origin_key') }})
    ) as told (value)
{%- endmacro %}

{% macro scope_of_dim_household() -%}
    select cast(told.value as uuid), cast(told.value as uuid)
    from ({{ changed('int_population__home', 'household_key') }}) as told
{%- endmacro %}

{% macro scope_of_int_population__crowd() -%}
    select crowd.crowd_key, crowd.crowd_key from {{ this }} as crowd
{%- endmacro %}

{# A person, their home, their household; and everybody of what has become a crowd, or is none any more. #}
{% macro scope_of_dim_person() -%}
    with {{ people_in_bands() }}

    select cast(told.value as uuid), cast(told.value as uuid)
    from ({{ changed('int_person__person', 'person_key') }}) as told

    union all

    select person.person_key, person.person_key
    from {{ ref('int_person__person') }} as person
    where person.resident_record_id in ({{ changed('int_population__home', 'record_id') }})

    union all

    select banded.person_key, banded.person_key
    from banded
    where banded.crowd_key in ({{ changed('int_population__crowd', 'crowd_key') }})
{%- endmacro %}

{% macro scope_of_int_land__parcel() -%}
    select known.parcel_id, known.parcel_id
    from (
        {{ changed('base_land__parcel', '_record_key', 'uuid') }}
        union all
        select parcel.parcel_id
        from {{ this }} as parcel
        where
            parcel.commune_key in ({{ changed('int_territory__path', 'origin_key') }})
            or parcel.origin_key in ({{ changed('int_territory__path', 'origin_key') }})
            or parcel.numbering_commune_key in ({{ changed('int_territory__path', 'origin_key') }})
    ) as known (parcel_id)
{%- endmacro %}

{# A parcel, its rights, and the parcels that share its number, or did. #}
{% macro scope_of_dim_parcel() -%}
    select {{ parcel_key('known.parcel_id') }}, cast(known.parcel_id as uuid)
    from (
        {{ changed('int_land__parcel', 'parcel_id') }}
        union all
        {{ changed('base_land__land_right', 'parcel_id') }}
        union all
        select cast(parcel.parcel_id as text)
        from {{ ref('int_land__parcel') }} as parcel
        where (parcel.numbering_commune_key, parcel.sheet_no, parcel.parcel_no) in (
            select now.numbering_commune_key, now.sheet_no, now.parcel_no
            from {{ ref('int_land__parcel') }} as now
            where now.parcel_id in ({{ changed('int_land__parcel', 'parcel_id', 'uuid') }})
            union
            select before.numbering_commune_key, before.sheet_no, before.parcel_no
            from {{ this }} as before
            where before.parcel_key in (
                select {{ parcel_key('told.value') }} from ({{ changed('int_land__parcel', 'parcel_id') }}) as told
            )
        )
    ) as known (parcel_id)
{%- endmacro %}

{% macro scope_of_fct_parcel_use() -%}
    select cast(md5('use ' || known.use_id) as uuid), cast(known.use_id as uuid)
    from (
        {{ changed('base_land__parcel_use', '_record_key') }}
        union all
        select cast(use.use_id as text)
        from {{ ref('stg_land__parcel_use') }} as use
        where use.parcel_id in ({{ changed('int_land__parcel', 'parcel_id', 'uuid') }})
    ) as known (use_id)
{%- endmacro %}

{# A right, its parcel, its holder; and where an enterprise has come into the register or left it. #}
{% macro scope_of_fct_land_right() -%}
    select cast(md5('right ' || known.right_id) as uuid), cast(known.right_id as uuid)
    from (
        {{ changed('base_land__land_right', '_record_key') }}
        union all
        select link.record_key
        from {{ ref('int_person__link') }} as link
        where link.register = 'land_right' and link.record_key in ({{ changed('int_person__link', 'record_key') }})
        union all
        select cast(holding.right_id as text)
        from {{ ref('stg_land__land_right') }} as holding
        where
            holding.parcel_id in ({{ changed('int_land__parcel', 'parcel_id', 'uuid') }})
            or holding.enterprise_code is not null
    ) as known (right_id)
{%- endmacro %}

{# A dossier; those of procedures and agencies that changed; and all that are open, whose agency may end any day. #}
{% macro scope_of_int_procedures__dossier() -%}
    select known.dossier_code, known.dossier_code
    from (
        {{ changed('base_procedures__dossier', '_record_key') }}
        union all
        select dossier.dossier_code
        from {{ ref('stg_procedures__dossier') }} as dossier
        where
            dossier.status_code in (
                select status.status_code from {{ ref('dossier_status') }} as status where not status.is_settled
            )
            or dossier.procedure_code in (
                select left({{ trimmed('procedure.procedure_code') }}, 8)
                from {{ source('procedures', 'procedure') }} as procedure
                where procedure._load_id > {{ of_build('loads_seen') }}
            )
            or dossier.agency_code in (
                select {{ trimmed('agency.agency_code') }}
                from {{ source('procedures', 'agency') }} as agency
                where agency._load_id > {{ of_build('loads_seen') }}
            )
    ) as known (dossier_code)
{%- endmacro %}

{# A dossier, its applicant; and those that changed hands. #}
{% macro scope_of_fct_dossier() -%}
    select {{ dossier_key('known.dossier_code') }}, known.dossier_code
    from (
        {{ dossiers_on_their_way() }}
        union
        select link.record_key
        from {{ ref('int_person__link') }} as link
        where link.register = 'dossier' and link.record_key in ({{ changed('int_person__link', 'record_key') }})
    ) as known (dossier_code)
{%- endmacro %}

{% macro scope_of_fct_dossier_event() -%}
    select {{ dossier_key('known.dossier_code') }}, known.dossier_code
    from (
        {{ dossiers_on_their_way() }}
    ) as known (dossier_code)
{%- endmacro %}

{# Those that changed, and of those that changed hands the ones that are open, or all when an agency has changed. #}
{% macro dossiers_on_their_way() -%}
        {{ changed('base_procedures__dossier', '_record_key') }}
        union
        {{ changed('int_procedures__dossier', 'dossier_code') }}
        union
        select dossier.dossier_code
        from {{ ref('int_procedures__dossier') }} as dossier
        where
            dossier.agency_key <> dossier.handling_agency_key
            and (
                not dossier.is_settled
                or exists (
                    select from {{ source('procedures', 'agency') }} as agency
                    where agency._load_id > {{ of_build('loads_seen') }}
                )
            )
{%- endmacro %}
