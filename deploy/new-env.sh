#!/bin/sh
# Prints deploy/.env.example with fresh secrets: sh deploy/new-env.sh > .env && chmod 600 .env
set -eu
section=""
while IFS= read -r line; do
    case "$line" in
        "# --- "*) section=$line ;;
        AIRFLOW_FERNET_KEY=) line="$line$(openssl rand -base64 32 | tr '+/' '-_')" ;;
        *=) case "$section" in "# --- secrets"*) line="$line$(openssl rand -hex 32)" ;; esac ;;
    esac
    printf '%s\n' "$line"
done < "$(dirname "$0")/.env.example"
