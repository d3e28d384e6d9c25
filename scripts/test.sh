#!/usr/bin/env bash
# Everything CI runs: format, lint while compiling the tests, tests on SQLite and PostgreSQL, the pages
# in a real browser, the documentation, what is linked. Ends with one line of totals.
set -euo pipefail
cd "$(dirname "$0")/.."
start=$(date +%s)
step() { printf '\n== %s (%ss)\n' "$1" "$(($(date +%s) - start))"; }

step "setup"
./scripts/setup.sh test
export PATH="$HOME/.cargo/bin:$PWD/target/tools-venv/bin:$PATH"
export CARGO_INCREMENTAL=0 CARGO_TERM_COLOR=never CARGO_NET_RETRY=10 CARGO_PROFILE_DEV_DEBUG=0

step "pages: install, check, test, build"
(cd ui && npm ci --no-audit --no-fund --silent && npm run --silent check && npm test --silent && npm run --silent build)

step "format"
cargo fmt --all --check

step "lint and build the tests"
RUSTC_WORKSPACE_WRAPPER=clippy-driver CLIPPY_ARGS="-Dwarnings__CLIPPY_HACKERY__" cargo build --locked --workspace --tests

step "PostgreSQL"
TOJI_TEST_POSTGRES=$(./scripts/postgres-for-tests.sh start)
export TOJI_TEST_POSTGRES
trap './scripts/postgres-for-tests.sh stop || true' EXIT

step "tests"
# Plants in real time mostly wait: two tests a core.
RUSTC_WORKSPACE_WRAPPER=clippy-driver CLIPPY_ARGS="-Dwarnings__CLIPPY_HACKERY__" cargo nextest run --locked --workspace --no-fail-fast --test-threads $((2 * $(nproc)))

step "proofs of the rules of the commons"
./scripts/prove-policy.sh

step "pages in a browser, against the real program"
./scripts/test-pages.sh

step "walls and documents"
./scripts/check-walls.sh
python3 scripts/check-docs.py
# The table of the standard is what its source says, and every test it names is there.
python3 scripts/asvs.py
git diff --exit-code --stat -- docs/src/en/asvs.md docs/src/ja/asvs.md
make --silent docs

step "licences, sources and bans of what is linked"
cargo deny --log-level error check bans licenses sources
step "done"
