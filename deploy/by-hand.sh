#!/usr/bin/env bash
# The distributed shop without containers: five services, the outside world and the edge as processes of this machine, on
# a PostgreSQL, a Kafka, a schema registry and a mail catcher that are there already. What a person would type, in order.
#
#   export ADMIN_DATABASE_URL=postgres://postgres:PASSWORD@127.0.0.1:5432/postgres   # may create databases and roles
#   export KAFKA_BOOTSTRAP_SERVERS=127.0.0.1:9092 SCHEMA_REGISTRY_URL=http://127.0.0.1:8081
#   export SMTP_URL=smtp://127.0.0.1:1025 MAIL_API_URL=http://127.0.0.1:8025
#   deploy/by-hand.sh            until Ctrl-C; the shop is at http://127.0.0.1:8080
#   deploy/by-hand.sh COMMAND    runs a command while the shop is open, then ends it, with that command's exit code
#
# BIN says where the programs are (target/debug unless set; `cargo build --workspace` makes them). Logs are in by-hand/.
set -euo pipefail
cd "$(dirname "$0")/.."
bin=${BIN:-target/debug}
logs=by-hand
mkdir -p "$logs"
: "${ADMIN_DATABASE_URL:?is not set, see the first lines of deploy/by-hand.sh}" "${KAFKA_BOOTSTRAP_SERVERS:?is not set}"
: "${SCHEMA_REGISTRY_URL:?is not set}" "${SMTP_URL:?is not set}" "${MAIL_API_URL:?is not set}"
export ADMIN_DATABASE_URL KAFKA_BOOTSTRAP_SERVERS SCHEMA_REGISTRY_URL SMTP_URL MAIL_API_URL

# One database and one role per service, and one for the customers' keys.
server=${ADMIN_DATABASE_URL#*@}
server=${server%%/*}
services=(order inventory payment shipping email)
for owner in "${services[@]}" keyring; do
  export "${owner^^}_DATABASE_URL=postgres://$owner:only-for-a-laptop@$server/$owner"
done

# Before the first start; all of it may be repeated.
"$bin/tutti" databases create
"$bin/tutti" topics create --replication "${REPLICATION:-1}" --min-in-sync "${MIN_IN_SYNC:-1}"
"$bin/tutti" schemas register

# Each process has a port for customers and one for operators.
port=8090
world=http://127.0.0.1:8089
export SHOP_SECRET=0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef
export CARRIER_WEBHOOK_SECRET=only-for-a-laptop
export PAYMENT_GATEWAY_URL=$world/gateway CARRIER_URL=$world/carrier SMS_URL=$world/sms WORLD_URL=$world
for service in "${services[@]}"; do
  export "${service^^}_URL=http://127.0.0.1:$port" "${service^^}_ADMIN_URL=http://127.0.0.1:$((port + 1))"
  port=$((port + 2))
done

running=()
trap 'kill "${running[@]}" 2>/dev/null; wait' EXIT

start() { # name, settings...: in the background, with a log of its own
  local name=$1
  shift
  env "$@" >"$logs/$name.log" 2>&1 &
  running+=($!)
}

start world LISTEN=127.0.0.1:8089 DATA="$logs/world" WEBHOOK_URL="$SHIPPING_URL/carrier/reports" "$bin/world"
for service in "${services[@]}"; do
  url=${service^^}_URL admin=${service^^}_ADMIN_URL database=${service^^}_DATABASE_URL
  start "$service" LISTEN="${!url#http://}" ADMIN_LISTEN="${!admin#http://}" ADVERTISE="${!url#http://}" \
    DATABASE_URL="${!database}" "$bin/$service"
done
start edge LISTEN=127.0.0.1:8080 "$bin/tutti" edge

tries=0
until curl --silent --fail --max-time 2 http://127.0.0.1:8080/health/ready >/dev/null; do
  tries=$((tries + 1))
  if ((tries > 120)); then
    echo "the shop is not ready:" >&2
    curl --silent http://127.0.0.1:8080/health/ready >&2 || tail -n 5 "$logs"/*.log >&2
    exit 1
  fi
  sleep 0.5
done
echo "The shop is open: http://127.0.0.1:8080 (logs in $logs/, Ctrl-C ends it)"
if (($#)); then "$@"; else wait -n; fi
