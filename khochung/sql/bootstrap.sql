-- The warehouse's schemas, roles and bookkeeping. Idempotent: applied at every start.
-- Layers: raw -> staging -> intermediate -> marts -> open_data; quality and ops stand beside them.
-- A role may read what its layer needs and nothing else; the publisher cannot see people.

create schema if not exists ops;
create schema if not exists raw;

create table if not exists ops.load (
    load_id bigint generated always as identity primary key,
    source_name text not null,
    table_name text not null,
    load_mode text not null,
    origin text not null,
    origin_sha256 text,
    landing_file text not null,
    landing_sha256 text not null,
    landing_bytes bigint not null,
    as_of date not null,
    window_from timestamptz,
    window_to timestamptz,
    source_rows bigint,
    extracted_rows bigint not null,
    refused_rows bigint not null,
    duplicate_rows bigint not null,
    inserted_rows bigint not null,
    updated_rows bigint not null,
    unchanged_rows bigint not null,
    tombstoned_rows bigint not null,
    current_rows bigint not null,
    unknown_fields text[] not null default '{}',
    contract_sha256 text not null,
    extracted_at timestamptz not null,
    loaded_at timestamptz not null default clock_timestamp(),
    seconds double precision not null,
    constraint rows_add_up check (
        extracted_rows = refused_rows + duplicate_rows + inserted_rows + updated_rows + unchanged_rows
    )
);
alter table ops.load add column if not exists origin_encoding text;
create index if not exists load_by_table on ops.load (source_name, table_name, load_id desc);

create table if not exists ops.watermark (
    source_name text not null,
    table_name text not null,
    watermark timestamptz not null,
    load_id bigint not null references ops.load,
    primary key (source_name, table_name)
);

-- When a source was last asked for a table and had nothing that is not loaded: what is loaded is as fresh as that day.
create table if not exists ops.inquiry (
    source_name text not null,
    table_name text not null,
    as_of date not null,
    asked_at timestamptz not null default clock_timestamp(),
    primary key (source_name, table_name)
);

create table if not exists ops.build (
    build_id bigint generated always as identity primary key,
    as_of date not null,
    loads_until bigint not null,
    code_sha256 text not null,
    started_at timestamptz not null default clock_timestamp(),
    finished_at timestamptz,
    status text not null default 'running' check (status in ('running', 'succeeded', 'failed')),
    message text
);
-- Tells the keys of pseudonyms apart (khochung.pseudonym.check): where it changes, all person keys changed.
alter table ops.build add column if not exists pseudonym_check text;
-- The same of the key of the noise: where it changes, so does every published count.
alter table ops.build add column if not exists noise_check text;

create table if not exists ops.model_run (
    build_id bigint not null references ops.build,
    layer text not null,
    node text not null,
    resource_type text not null,
    status text not null,
    seconds double precision not null,
    rows_affected bigint,
    message text,
    recorded_at timestamptz not null default clock_timestamp()
);

-- Written by dbt with quality.issue: open after the build = open before it + opened - closed.
create table if not exists ops.issue_trend (
    build_id bigint not null references ops.build,
    source_name text not null,
    table_name text not null,
    issue_code text not null,
    open bigint not null,
    opened bigint not null,
    closed bigint not null,
    primary key (build_id, source_name, table_name, issue_code)
);

create table if not exists ops.verdict (
    verdict_id bigint generated always as identity primary key,
    scope text not null check (scope in ('source', 'warehouse', 'dataset')),
    subject text not null,
    build_id bigint not null references ops.build,
    suite_sha256 text not null,
    passed boolean not null,
    failed_severity text check (failed_severity in ('info', 'warning', 'critical')),
    evaluated integer not null,
    failed integer not null,
    results jsonb not null,
    seconds double precision not null,
    judged_at timestamptz not null default clock_timestamp(),
    constraint judged_something check (evaluated > 0)
);
-- What was judged, by which code, and the seal of the gate over the row (khochung.gate.seal). No role of the pipeline may
-- change a row (khochung.warehouse.APPEND_ONLY).
alter table ops.verdict add column if not exists code_sha256 text;
alter table ops.verdict add column if not exists suite jsonb;
alter table ops.verdict add column if not exists fingerprint text;
alter table ops.verdict add column if not exists seal text;
create index if not exists verdict_by_subject on ops.verdict (subject, build_id, verdict_id desc);

-- Who consented to a dataset's first release, to another schema or policy, or to a lowered suite (khochung.gate.approval).
create table if not exists ops.approval (
    approval_id bigint generated always as identity primary key,
    slug text not null,
    document_sha256 text not null,
    document jsonb not null,
    decision text not null check (decision in ('approved', 'refused')),
    decided_by text not null,
    changed_by text[] not null,
    way text not null check (way in ('airflow', 'command line', 'demonstration')),
    decided_at timestamptz not null,
    seal text not null
);
create index if not exists approval_by_slug on ops.approval (slug, approval_id desc);

create table if not exists ops.release (
    release_id text primary key,
    as_of date not null,
    build_id bigint not null references ops.build,
    released_at timestamptz not null default clock_timestamp()
);

-- The newest decision on the suite of each source that somebody has had to look at, when this was released.
alter table ops.release add column if not exists source_approvals bigint[] not null default '{}';

create table if not exists ops.release_item (
    release_id text not null references ops.release,
    slug text not null,
    version text not null,
    state text not null check (state in ('new', 'unchanged', 'held')),
    reason text,
    verdict_id bigint references ops.verdict,
    content_sha256 text,
    data_rows bigint,
    primary key (release_id, slug)
);

alter table ops.release_item add column if not exists approval_id bigint;
-- The seals of the gate (khochung.gate.past).
alter table ops.release add column if not exists seal text;
alter table ops.release_item add column if not exists seal text;

-- Corrected editions of old versions, released while a later one was in force (khochung.release.patch).
create table if not exists ops.patch (
    slug text not null,
    version text not null,
    corrects text not null,
    release_id text not null references ops.release,
    build_id bigint not null references ops.build,
    verdict_id bigint not null references ops.verdict,
    approval_id bigint,
    content_sha256 text not null,
    data_rows bigint not null,
    reason_vi text not null,
    reason_en text not null,
    primary key (slug, version)
);

-- The rows of every version, as they were released: what the next version is held against. Written before the version is
-- public; the view shows those of the last one that is.
create schema if not exists released;
create table if not exists released.version_row (
    slug text not null,
    version text not null,
    cells jsonb not null
);
create index if not exists version_row_by_version on released.version_row (slug, version);
-- The seal of the gate over the rows of a version (khochung.gate.last_version).
create table if not exists released.version_seal (
    slug text not null,
    version text not null,
    fingerprint text not null,
    seal text not null,
    primary key (slug, version)
);
create or replace view released.last_version as
select distinct on (item.slug) item.slug, item.version
from ops.release_item as item
inner join ops.release using (release_id)
where item.version <> ''
order by item.slug, release.released_at desc;
create or replace view released.last_row as
select version_row.slug, version_row.version, version_row.cells
from released.version_row
inner join released.last_version on version_row.slug = last_version.slug and version_row.version = last_version.version;

create table if not exists ops.withdrawal (
    slug text not null,
    version text not null,
    withdrawn_on date not null,
    reason_vi text not null,
    reason_en text not null,
    recorded_at timestamptz not null default clock_timestamp(),
    primary key (slug, version)
);

create table if not exists ops.publication (
    build_id bigint primary key references ops.build,
    release_id text not null,
    held text[] not null,
    published_at timestamptz not null default clock_timestamp()
);

-- Every version ever released of what is protected, and what the public was told of each cell from which version on;
-- withdrawn ones included (khochung.disclosure.released). Nothing is ever taken from either.
create table if not exists ops.released_version (
    dataset text not null,
    version text not null,
    as_of date not null,
    rules jsonb not null,
    cells integer not null,
    recorded_at timestamptz not null default clock_timestamp(),
    primary key (dataset, version)
);

create table if not exists ops.released_cell (
    cell_id bigint generated always as identity primary key,
    dataset text not null,
    version text not null,
    vintage date,
    measure text not null,
    coordinates jsonb not null,
    value numeric,
    low double precision not null,
    high double precision not null,
    foreign key (dataset, version) references ops.released_version,
    unique (dataset, measure, coordinates, version)
);

create or replace function ops.refuse_change() returns trigger language plpgsql as $$
begin
    raise exception '%.% only grows: what was public once stays known', tg_table_schema, tg_table_name;
end $$;
create or replace trigger only_grows before update or delete on ops.released_version
for each row execute function ops.refuse_change();
create or replace trigger only_grows before update or delete on ops.released_cell
for each row execute function ops.refuse_change();

-- Values that a build withholds, those that hide others among them (khochung.disclosure.withhold); the keys are those of
-- the dataset's cells.
create table if not exists ops.withheld_cell (
    build_id bigint not null references ops.build,
    dataset text not null,
    first_key text not null,
    second_key text not null,
    primary key (build_id, dataset, first_key, second_key)
);

-- The joint audit's verdict on a dataset that was to be released: counts, never which cells.
create table if not exists ops.disclosure_audit (
    audit_id bigint generated always as identity primary key,
    dataset text not null,
    build_id bigint not null references ops.build,
    passed boolean not null,
    cells integer not null,
    withheld integer not null,
    leaks jsonb not null,
    seconds double precision not null,
    audited_at timestamptz not null default clock_timestamp()
);

-- When a held dataset may be tried again though nothing was built since: the end of its embargo.
alter table ops.publication add column if not exists again_at timestamptz;

-- Rows that a load could not keep, whole. Made here, because two first loads at once would both try.
create table if not exists raw.refused (
    source_name text not null,
    table_name text not null,
    code text not null,
    record_key text,
    field text,
    payload jsonb not null,
    payload_hash uuid not null,
    first_load_id bigint not null,
    last_load_id bigint not null,
    seen integer not null default 1,
    unique nulls not distinct (source_name, table_name, code, record_key, field, payload_hash)
);

-- Where parcels lie in WGS 84, and from which coordinates that was worked out (khochung.location).
create table if not exists raw.parcel_location (
    parcel_id uuid not null,
    x_north double precision,
    y_east double precision,
    meridian text,
    is_swapped boolean not null,
    longitude double precision,
    latitude double precision
);
-- Which account sees the rows of which agency; filled from the seed agency_account. Row policies ask it by current_user:
-- a role that somebody else may not take, so nobody can say that they are another agency.
create table if not exists ops.agency_account (
    role_name name not null,
    agency_code text not null primary key,
    owner_agency text unique
);
do $$
begin
    if not exists (select from pg_roles where rolname = 'khochung_agency') then
        create role khochung_agency nologin;
    end if;
end $$;
grant select on ops.agency_account to khochung_agency;

-- Who has read what of the shared models: a row per query, added by their row policies in the reader's own name. Readers may
-- add and nothing else; what stands in a row is not theirs to choose.
create table if not exists ops.access_log (
    access_id bigint generated always as identity primary key,
    role_name name not null,
    relation text not null,
    at timestamptz not null,
    client inet,
    application text
);
create or replace function ops.sign_access() returns trigger language plpgsql as $$
begin
    new.role_name := current_user;
    new.at := clock_timestamp();
    new.client := inet_client_addr();
    new.application := current_setting('application_name');
    return new;
end $$;
create or replace trigger sign_access before insert on ops.access_log for each row execute function ops.sign_access();
-- True, once the reading is written down; a reader who cannot write (a read-only transaction) cannot read.
create or replace function ops.record_access(relation text) returns boolean language plpgsql volatile as $$
begin
    insert into ops.access_log (relation) values (record_access.relation);
    return true;
end $$;
