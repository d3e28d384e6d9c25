#!/usr/bin/env bash
# A private PostgreSQL for the tests: its own cluster in a folder of its own, on a free loopback port.
#   scripts/postgres-for-tests.sh start   prints the address (again, when it runs already)
#   scripts/postgres-for-tests.sh stop    stops it and removes the cluster
# Then: TOJI_TEST_POSTGRES=$(scripts/postgres-for-tests.sh start) cargo nextest run --workspace -E 'package(toji-store)'
set -euo pipefail
# Where runuser is, which a root shell made by `su` does not look in.
PATH=$PATH:/usr/sbin
home=${TOJI_POSTGRES_HOME:-${TMPDIR:-/tmp}/toji-postgres-$(id -u)}

as_root() { if [ "$(id -u)" = 0 ]; then "$@"; else sudo "$@"; fi; }
# The server refuses to run as root.
as_server() { if [ "$(id -u)" = 0 ]; then (cd / && runuser -u postgres -- "$@"); else "$@"; fi; }
find_bin() { ls -d /usr/lib/postgresql/*/bin 2>/dev/null | sort -V | tail -n 1; }

bin=$(find_bin)
if [ -z "$bin" ] && command -v initdb >/dev/null 2>&1; then bin=$(dirname "$(command -v initdb)"); fi

start() {
  if [ -z "$bin" ]; then
    echo "installing postgresql" >&2
    as_root apt-get update -qq
    as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends postgresql >/dev/null
    bin=$(find_bin)
  fi
  if [ -s "$home/url" ] && as_server "$bin/pg_ctl" -D "$home/data" status >/dev/null 2>&1; then
    cat "$home/url"
    return
  fi
  stop
  mkdir -p "$home"
  chmod 700 "$home"
  if [ "$(id -u)" = 0 ]; then chown postgres "$home"; fi
  # Only this machine can connect, the port is free, and the cluster holds nothing but tests.
  # Texts sort by language, as on most servers: the store must not lean on the order.
  as_server "$bin/initdb" -D "$home/data" -U toji -A trust -E UTF8 --locale=C.UTF-8 \
    --locale-provider=icu --icu-locale=en-US --no-sync >/dev/null
  local port
  port=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
  as_server "$bin/pg_ctl" -D "$home/data" -l "$home/log" -w -t 60 \
    -o "-c listen_addresses=127.0.0.1 -c port=$port -c unix_socket_directories='$home' -c max_connections=300 -c fsync=off" start >/dev/null || {
    cat "$home/log" >&2
    exit 1
  }
  echo "postgres://toji@127.0.0.1:$port/postgres" >"$home/url"
  cat "$home/url"
}

stop() {
  if [ -d "$home/data" ] && [ -n "$bin" ]; then
    as_server "$bin/pg_ctl" -D "$home/data" -m immediate -w stop >/dev/null 2>&1 || true
  fi
  rm -rf "$home"
}

case ${1:-} in
start) start ;;
stop) stop ;;
*)
  sed -n '2,5s/^# \{0,1\}//p' "$0" >&2
  exit 2
  ;;
esac
