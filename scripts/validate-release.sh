#!/usr/bin/env bash
# Builds a release from the demonstration twice, compares the bytes, validates it with the official tools
# (mlcroissant, roc-validator, frictionless) and loads it with the shipped loader.
#
#   scripts/validate-release.sh            pandas and Polars; about 800 MB of PyPI packages under target/
#   scripts/validate-release.sh --torch    also PyTorch: about 180 MB of Debian packages, unpacked under target/,
#                                          since PyPI's wheel for Linux brings several GB of GPU libraries
set -euo pipefail
cd "$(dirname "$0")/.."
toji=$(realpath "${TOJI_BIN:-target/debug/toji}")
venv=target/validators
if [ ! -x "$venv/bin/mlcroissant" ]; then
  python3 -m venv "$venv"
  "$venv/bin/pip" install --quiet --disable-pip-version-check \
    mlcroissant==1.1.1 roc-validator==0.13.0 rocrate==0.16.0 frictionless==5.21.0 pandas==3.1.1 polars==2.1.0 pyarrow==26.0.1
fi
python=$(realpath "$venv")/bin/python
if [ "${1:-}" = --torch ]; then
  debs=target/torch-debian
  if [ ! -d "$debs/root" ]; then
    mkdir -p "$debs/root"
    (cd "$debs" && apt-get install --dry-run python3-torch | awk '/^Inst/{print $2}' | grep -v -e '-dev$' -e '-doc$' | xargs apt-get download)
    for deb in "$debs"/*.deb; do dpkg-deb -x "$deb" "$debs/root"; done
  fi
  root=$(realpath "$debs/root")
  LD_LIBRARY_PATH=$(find "$root" -name '*.so*' -printf '%h\n' | sort -u | grep -v python | paste -sd:)
  TOJI_TORCH="$root/usr/lib/python3/dist-packages"
  export LD_LIBRARY_PATH TOJI_TORCH
fi
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
store=("$toji" --store "$work/store" --quiet)
"${store[@]}" init --zone Asia/Tokyo >/dev/null
"${store[@]}" store demo >/dev/null
"${store[@]}" record put licence LIC-DEMO --fields @scripts/release-demo/licence.json >/dev/null
for n in 1 2; do
  # Other threads, another place, a later moment: the same bytes.
  TOKIO_WORKER_THREADS=$n "${store[@]}" dataset release --manifest @scripts/release-demo/manifest.json --dir "$work/release-$n" >/dev/null
done
diff -r "$work/release-1" "$work/release-2"
(cd "$work/release-1" && sha256sum --check --quiet MANIFEST.sha256)
echo "ok   made twice: root hash $(sha256sum <"$work/release-1/MANIFEST.sha256" | cut -d' ' -f1)"
"$python" scripts/validate-release.py "$work/release-1"
