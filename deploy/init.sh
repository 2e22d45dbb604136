#!/bin/sh
# The service `init`: brings both databases to this version's state. Every step may be repeated.
set -eu
khochung bootstrap
airflow db migrate
khochung pools > /tmp/pools.json
airflow pools import /tmp/pools.json
airflow users create --username admin --role Admin --firstname Quản --lastname Trị --email admin@example.invalid \
    --password "$AIRFLOW_ADMIN_PASSWORD"
