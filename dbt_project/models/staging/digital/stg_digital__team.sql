select
    team_no,
    team_name,
    hamlet,
    commune_key,
    founded_on,
    ended_on,
    members
from {{ ref('base_digital__team') }}
where not _refused
