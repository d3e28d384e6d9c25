#!/usr/bin/env bash
# Holds the Cedar text of the commons (crates/toji-commons/policy/) to the decision and proves its properties, with
# Cedar's own tools: same answers on random and systematic worlds, properties proved by the symbolic compiler with the
# solver cvc5, altered rules refuted. Prints every property, refutation and counter-example to target/proofs.txt.
#   scripts/prove-policy.sh
# Shares the target folder of the main build; cvc5 is installed by name into target/proofs-venv.
set -euo pipefail
cd "$(dirname "$0")/.."
target=$(mkdir -p "${CARGO_TARGET_DIR:-target}" && realpath "${CARGO_TARGET_DIR:-target}")
venv="$target/proofs-venv"
if ! "$venv/bin/python3" -c "import cvc5" >/dev/null 2>&1; then
  python3 -m venv "$venv"
  "$venv/bin/pip" install -q --disable-pip-version-check "cvc5==1.3.1"
fi
export CVC5="$PWD/proofs/solver.py" PATH="$venv/bin:$PATH" CARGO_TARGET_DIR="$target"
export CARGO_INCREMENTAL=0 CARGO_PROFILE_DEV_DEBUG=0 RUSTC_WORKSPACE_WRAPPER=clippy-driver CLIPPY_ARGS="-Dwarnings__CLIPPY_HACKERY__"
cd proofs
cargo fmt --check
cargo test --locked --quiet --test it -- --nocapture
if ! cargo run --locked --quiet >"$target/proofs.txt"; then
  grep -v '^  *|' "$target/proofs.txt" | grep -A3 '^FAIL' >&2 || tail -n 5 "$target/proofs.txt" >&2
  echo "not proved: see $target/proofs.txt" >&2
  exit 1
fi
echo "$(tail -n 1 "$target/proofs.txt"): $target/proofs.txt"
if command -v cargo-deny >/dev/null 2>&1; then
  cargo deny --log-level error --config ../deny.toml check bans licenses sources
fi
