#!/usr/bin/env bash
# Fuzzes every parser in turn, SECONDS_EACH CPU seconds each (default 600), seeded with real files where
# TOJI_SHARED names a folder of them. Findings stay in fuzz/artifacts, what was learnt in fuzz/corpus, and every
# target that ran adds a line to fuzz/results.tsv: commit, target, CPU seconds, inputs, finding.
#   SECONDS_EACH=60 scripts/fuzz.sh [TARGET…]
# Needs a C++ compiler for libFuzzer; the stable Rust compiler is enough.
set -euo pipefail
cd "$(dirname "$0")/../fuzz"
seconds=${SECONDS_EACH:-600}
host=$(rustc -vV | sed -n 's/^host: //p')
flags="--cfg fuzzing -Cdebug-assertions -Ccodegen-units=4 -Cpasses=sancov-module"
for pass in coverage-level=4 coverage-inline-8bit-counters coverage-pc-table coverage-trace-compares; do
  flags="$flags -Cllvm-args=-sanitizer-$pass"
done
RUSTFLAGS="$flags" cargo build --release --target "$host"
bin="${CARGO_TARGET_DIR:-target}/$host/release"
if [ "$#" -gt 0 ]; then targets=("$@"); else mapfile -t targets < <(sed -n 's/^name = "\(.*\)"$/\1/p' Cargo.toml | grep -v '^toji-fuzz$'); fi
shared="${TOJI_SHARED:-../../shared}/data"
ticks=$(getconf CLK_TCK)
spent() { awk -v t="$ticks" '{print int(($14 + $15) / t)}' "/proc/$1/stat" 2>/dev/null || echo 0; }

commit=$(git rev-parse --short HEAD)
failed=()
for target in "${targets[@]}"; do
  mkdir -p "corpus/$target" "artifacts/$target"
  log="artifacts/$target.log"
  case "$target" in sbml) real="$shared/modelling/sbml-semantic" ;; *) real="$shared/bioprocess" ;; esac
  if [ -d "$real" ]; then
    find "$real" -type f -size -64k -not -name 'LICENSE*' -exec cp -n -t "corpus/$target" {} + 2>/dev/null || true
  fi
  "$bin/$target" "corpus/$target" -max_len=65536 -timeout=60 -rss_limit_mb=4096 -print_final_stats=1 \
    -artifact_prefix="artifacts/$target/" 2>"$log" &
  pid=$!
  # CPU time, not wall time: the machine may be busy.
  while kill -0 "$pid" 2>/dev/null && [ "$(spent "$pid")" -lt "$seconds" ]; do sleep 2; done
  cpu=$(spent "$pid")
  kill -INT "$pid" 2>/dev/null || true
  code=0
  wait "$pid" || code=$?
  units=$(sed -n 's/^stat::number_of_executed_units: *//p' "$log")
  # libFuzzer leaves with 72 when told to stop.
  finding=none
  [ "$code" = 72 ] || finding=found
  printf '%s\t%s\t%s\t%s\t%s\n' "$commit" "$target" "$cpu" "${units:-}" "$finding" >>results.tsv
  if [ "$finding" = none ]; then
    echo "$target: $cpu CPU s, ${units:-?} inputs, no finding"
  else
    echo "$target: FINDING after $cpu CPU s (exit $code), see fuzz/artifacts/$target"
    tail -n 25 "$log"
    failed+=("$target")
  fi
done
if [ "${#failed[@]}" -gt 0 ]; then echo "findings in: ${failed[*]}"; exit 1; fi
echo "no findings in ${#targets[@]} targets"
