-- Who took the work of an agency that ended: what decisions say (seed), what followed under the same code, and for
-- communes what became of their territory. The work of a district went to the agencies that succeeded its communes, and
-- in some fields to departments of the province.
with agencies as (
    select
        *,
        agency_code || '@' || valid_from as agency_key
    from {{ ref('stg_procedures__agency') }}
),

-- An agency ends on the day before its successors take over.
ended as (
    select
        *,
        valid_to + 1 as effective_on
    from agencies
    where valid_to < 'infinity'
),

decided as (
    select
        ended.agency_key as predecessor_key,
        agencies.agency_key as successor_key,
        ended.effective_on,
        succession.relation,
        succession.field_code,
        succession.legal_basis,
        succession.certainty
    from {{ ref('agency_succession') }} as succession
    inner join ended
        on
            succession.effective_on = ended.effective_on
            and (succession.predecessor_code = ended.agency_code or succession.predecessor_level = ended.level_code)
    inner join agencies
        on
            succession.successor_code = agencies.agency_code
            and succession.effective_on between agencies.valid_from and agencies.valid_to
),

same_code as (
    select
        ended.agency_key as predecessor_key,
        agencies.agency_key as successor_key,
        ended.effective_on,
        'renamed' as relation
    from ended
    inner join agencies on ended.agency_code = agencies.agency_code and ended.effective_on = agencies.valid_from
    left join decided on ended.agency_key = decided.predecessor_key
    where decided.predecessor_key is null
),

territory as (
    select
        piece.old_key,
        piece.new_key,
        piece.effective_on,
        min(change.legal_basis) as legal_basis
    from {{ ref('int_territory__piece') }} as piece
    inner join {{ ref('stg_admin__unit_change') }} as change
        on
            piece.effective_on = change.effective_on
            and split_part(piece.old_key, '@', 1) = change.old_code
            and split_part(piece.new_key, '@', 1) = change.new_code
    group by piece.old_key, piece.new_key, piece.effective_on
),

communes as (
    select
        ended.agency_key as predecessor_key,
        ended.parent_code,
        agencies.agency_key as successor_key,
        ended.effective_on,
        territory.legal_basis,
        case when count(*) over (partition by ended.agency_key) = 1 then 'merged' else 'divided' end as relation
    from ended
    inner join territory on ended.commune_key = territory.old_key and ended.effective_on = territory.effective_on
    inner join agencies
        on
            territory.new_key = agencies.commune_key
            and ended.effective_on between agencies.valid_from and agencies.valid_to
),

districts as (
    select distinct
        ended.agency_key as predecessor_key,
        communes.successor_key,
        ended.effective_on,
        communes.legal_basis
    from ended
    inner join communes on ended.agency_code = communes.parent_code and ended.effective_on = communes.effective_on
    where ended.level_code = 'HUYEN'
),

everything as (
    select * from decided
    union all
    select
        predecessor_key,
        successor_key,
        effective_on,
        relation,
        null as field_code,
        null as legal_basis,
        'sure' as certainty
    from same_code
    union all
    select
        predecessor_key,
        successor_key,
        effective_on,
        relation,
        null as field_code,
        legal_basis,
        'sure' as certainty
    from communes
    union all
    select
        predecessor_key,
        successor_key,
        effective_on,
        'divided' as relation,
        null as field_code,
        legal_basis,
        'sure' as certainty
    from districts
)

-- A department that takes several fields of a district is one successor.
select
    predecessor_key,
    successor_key,
    effective_on,
    min(relation) as relation,
    string_agg(distinct field_code, ', ' order by field_code) as field_codes,
    min(legal_basis) as legal_basis,
    case when count(*) filter (where certainty <> 'sure') > 0 then 'provisional' else 'sure' end as certainty
from everything
group by predecessor_key, successor_key, effective_on
