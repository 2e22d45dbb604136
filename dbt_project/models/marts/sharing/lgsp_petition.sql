{{ config(materialized='view', post_hook="alter view {{ this }} set (security_invoker = true)") }}

select * from {{ ref('shared_petition') }}
