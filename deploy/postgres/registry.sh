#!/usr/bin/env bash
# Runs once, when the server's volume is empty: where the schema registry keeps its schemas. The services' own databases
# are made by the job `databases`.
set -euo pipefail

psql --username "$POSTGRES_USER" --dbname postgres --set ON_ERROR_STOP=1 --set password="$REGISTRY_PASSWORD" <<'SQL'
CREATE ROLE registry LOGIN PASSWORD :'password';
CREATE DATABASE registry OWNER registry;
REVOKE ALL ON DATABASE registry FROM PUBLIC;
SQL
