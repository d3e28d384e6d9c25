#!/usr/bin/env bash
# Fuzzes every parser in turn. SECONDS_EACH CPU-seconds each (default 600), seeded with real files where
# TOJI_SHARED names a folder of them. Findings stay in fuzz/artifacts.
#   SECONDS_EACH=60 scripts/fuzz.sh [TARGET…]
set -euo pipefail
cd "$(dirname "$0")/../fuzz"
seconds=${SECONDS_EACH:-600}
command -v cargo-fuzz >/dev/null 2>&1 || cargo install --locked cargo-fuzz
# The fuzzer's instrumentation flags are unstable options of a stable compiler.
export RUSTC_BOOTSTRAP=1
if [ "$#" -gt 0 ]; then targets=("$@"); else mapfile -t targets < <(cargo fuzz list); fi
failed=()
logs=$(mktemp -d)
for target in "${targets[@]}"; do
  seeds="corpus/$target"
  mkdir -p "$seeds"
  if [ -d "${TOJI_SHARED:-../../shared}/data/bioprocess" ]; then
    find "${TOJI_SHARED:-../../shared}/data/bioprocess" -type f -size -64k -not -name 'LICENSE*' -exec cp -n -t "$seeds" {} + 2>/dev/null || true
  fi
  echo "== $target: $seconds s"
  if ! cargo fuzz run --sanitizer none "$target" "$seeds" -- -max_total_time="$seconds" -max_len=65536 -timeout=20 -rss_limit_mb=4096 -print_final_stats=1 2>"$logs/$target.log"; then
    failed+=("$target")
    tail -n 30 "$logs/$target.log"
  fi
  grep -E "number_of_executed_units|average_exec_per_sec" "$logs/$target.log" || true
done
if [ "${#failed[@]}" -gt 0 ]; then echo "findings in: ${failed[*]}"; exit 1; fi
echo "no findings in ${#targets[@]} targets"
