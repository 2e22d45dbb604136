select
    legal_form,
    name_vi,
    name_en
from {{ ref('legal_form') }}

union all

select
    legal_form,
    name_vi,
    name_en
from (
    values
    ('HKD', 'Hộ kinh doanh', 'Household business'),
    ('?', 'Chưa xác định', 'Not determined')
) as others (legal_form, name_vi, name_en)
