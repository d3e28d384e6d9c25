#!/usr/bin/env bash
# Makes a demonstration store and walks through the pages in headless Chromium; each file of journeys has a copy of the
# store and a server of its own, so that they go side by side.
set -euo pipefail
cd "$(dirname "$0")/.."
toji=$(realpath "${TOJI_BIN:-target/debug/toji}")
dir=$(mktemp -d)
port=$(python3 -c 'import socket; s=socket.socket(); s.bind(("127.0.0.1",0)); print(s.getsockname()[1])')
"$toji" --store "$dir/store" demo --address "127.0.0.1:$port" >"$dir/log" 2>&1 &
server=$!
trap 'kill $server 2>/dev/null || true; wait $server 2>/dev/null || true; rm -rf "$dir"' EXIT
for _ in $(seq 1 240); do
  if curl -fs "http://127.0.0.1:$port/healthz" >/dev/null 2>&1; then break; fi
  if ! kill -0 $server 2>/dev/null; then cat "$dir/log" >&2; exit 1; fi
  sleep 0.5
done
kill $server
wait $server || true
cd ui
TOJI_BIN="$toji" TOJI_STORE="$dir/store" TOJI_SHOTS="${TOJI_SHOTS:-}" npm run --silent e2e
