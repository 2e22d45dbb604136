select
    channel_code,
    name_vi,
    name_en,
    is_online
from {{ ref('dossier_channel') }}
