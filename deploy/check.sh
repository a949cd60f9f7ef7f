#!/usr/bin/env bash
# Proves that the shop of compose.yaml works, heals and keeps what it was given: builds the images, brings everything up,
# plays every ending and every race in it, kills a service, the broker and the database at once in the middle of a burst
# of orders and brings them back, takes the broker away with its volume, holds all of it against the invariants, takes the
# shop down and up again, and finds every order as it was. Needs Linux, Docker with its compose plugin, and nothing else;
# removes what it made.
#
#   deploy/check.sh           all of it; ORDERS=5000 deploy/check.sh with a larger burst
#   deploy/check.sh --keep    the same, and leaves the shop running, to look into it
set -euo pipefail
cd "$(dirname "$0")"

# Beside a shop that somebody tries out on this machine: other containers, other volumes, another address.
export COMPOSE_PROJECT_NAME=tutti-check TUTTI_ADDRESS=127.0.0.2 TUTTI_PORT=${TUTTI_PORT:-8080}
export COMPOSE_PROFILES='' OTEL_EXPORTER_OTLP_ENDPOINT='' COMPOSE_PROGRESS=quiet
shop=http://$TUTTI_ADDRESS:$TUTTI_PORT
step=start
keep=no
program=

say() { printf '\n== %s\n' "$*"; }

begin() {
  step=$*
  say "$step"
}

up() { docker compose up --detach --wait --wait-timeout 300; }

tutti() { docker compose run --rm --no-deps --no-TTY tutti "$@"; }

# How many orders and events there are, and whether all invariants hold; and the newest orders, each as it ended.
standing() { tutti verify --deployed | tail -n 1 && tutti order list --limit 200; }

# Tells why it failed while the containers are still there; whatever happened, nothing is left behind.
finish() {
  local code=$?
  trap - EXIT
  if ((code)); then
    say "FAILED at: $step (exit code $code)"
    docker compose ps --all || true
    docker compose logs --tail 40 --no-color || true
  fi
  rm -rf "$program"
  if [[ $keep == yes ]]; then
    echo "The shop is left running at $shop; to remove it: COMPOSE_PROJECT_NAME=$COMPOSE_PROJECT_NAME docker compose" \
      "--project-directory deploy down --volumes"
  else
    docker compose down --volumes --remove-orphans --timeout 10 || true
  fi
  ((code)) || say "all good"
  exit "$code"
}

check() {
  trap finish EXIT
  docker compose version
  docker compose down --volumes --remove-orphans

  begin "build"
  docker compose --progress plain build

  begin "up"
  up

  begin "every ending and every race; a service, the broker and the database are killed in the middle"
  # The demo runs out here, because it must tell Docker whom to kill: the program is taken from its image.
  program=$(mktemp -d)
  local id
  id=$(docker create "$(docker compose config --images | grep --max-count 1 /tutti:)")
  docker cp "$id:/tutti" "$program/tutti"
  docker rm "$id" >/dev/null
  "$program/tutti" demo --against "$shop" --orders "${ORDERS:-1000}" --kill-with "$PWD/check.sh --break"

  begin "the broker is lost with all that it had: the services fill a new one, and go on"
  docker compose rm --stop --force kafka
  docker volume rm "${COMPOSE_PROJECT_NAME}_kafka"
  up
  "$program/tutti" demo --against "$shop" --orders 100

  begin "the invariants"
  tutti verify --deployed

  begin "down and up again: every order is as it was"
  local before after
  before=$(standing)
  docker compose down
  up
  after=$(standing)
  [[ $before == "$after" ]] || { diff <(echo "$before") <(echo "$after") | head -n 40; return 1; }
  head -n 4 <<<"$after"
}

case ${1-} in
  '') check ;;
  --keep) keep=yes && check ;;
  --break) docker compose kill payment kafka postgres && up ;;
  *) echo "there is no $1; see the first lines of this file" >&2 && exit 2 ;;
esac
