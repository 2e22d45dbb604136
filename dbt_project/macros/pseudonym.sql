{# HMAC-SHA-256 (RFC 2104, FIPS 198-1) of a text under a key of bytes, as bytes. `sha256()` is in PostgreSQL's core, and
that is all it needs. The padded keys are scalar subqueries: where the key does not come from the row, they are worked out
once per query. Nothing comes of a null key. #}
{% macro hmac_sha256(message, key) -%}
    sha256({{ hmac_pad(key, 92) }} || sha256({{ hmac_pad(key, 54) }} || convert_to({{ message }}, 'UTF8')))
{%- endmacro %}

{# The key as one block of 64 bytes, each of them exclusive or `byte`: 0x36 = 54 inside, 0x5c = 92 outside. Written as
a + b - 2 (a and b), since linters do not know the operator. #}
{% macro hmac_pad(key, byte) -%}
    {%- set own = "get_byte(whole.block, place)" -%}
    (
        select string_agg(set_byte('\x00', 0, {{ own }} + {{ byte }} - 2 * ({{ own }} & {{ byte }})), '' order by place)
        from (
            select short.key || decode(repeat('00', 64 - octet_length(short.key)), 'hex') as block
            from (select case when octet_length({{ key }}) > 64 then sha256({{ key }}) else {{ key }} end as key) as short
        ) as whole
        cross join generate_series(0, 63) as place
    )
{%- endmacro %}

{# A key of this session, `pseudonym` or `noise` (khochung.pseudonym). Without the setting PostgreSQL stops; one below 32
bytes is no key, and what it makes is null, which a test refuses: never an unkeyed hash. #}
{% macro session_key(name) -%}
    (
        select case when octet_length(session.key) >= 32 then session.key end
        from (select decode(current_setting('khochung.{{ name }}_key'), 'hex') as key) as session
    )
{%- endmacro %}

{# The pseudonym of a `kind` of subject: the first 128 bits of the HMAC. Kinds do not meet: a household's number that
equals a person's gives another key. #}
{% macro pseudonym(kind, identifier) -%}
    cast(encode(substr({{ hmac_sha256("'" ~ kind ~ "|' || " ~ identifier, session_key('pseudonym')) }}, 1, 16), 'hex') as uuid)
{%- endmacro %}
