#!/bin/sh
# Runs once, when the PostgreSQL volume is empty: Airflow's role and database, and the warehouse's database.
# Roles, schemas and grants inside the warehouse are `khochung bootstrap`'s, at every start.
set -eu
psql --no-psqlrc -v ON_ERROR_STOP=1 --username "$POSTGRES_USER" --dbname postgres <<'SQL'
\getenv password AIRFLOW_DB_PASSWORD
create role airflow login password :'password';
create database airflow owner airflow;
create database warehouse;
revoke connect, temporary on database airflow, postgres from public;
SQL
