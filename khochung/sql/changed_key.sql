-- Which keys have changed since the last good build: written and read by dbt (macros/incremental.sql), emptied by
-- khochung.transform. Values of people are among them, so it lies where only the transformer reads. Idempotent.

create table if not exists staging.changed_key (
    relation text not null,
    told text not null,
    value text not null
);
alter table staging.changed_key owner to khochung_transformer;
