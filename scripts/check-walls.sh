#!/usr/bin/env bash
# The walls of the house, held by the dependency graph: a crate that must not know another, does not.
set -euo pipefail
cd "$(dirname "$0")/.."
fail=0
forbid() {
  for dependency in "${@:2}"; do
    if cargo tree --locked --offline -e normal -p "$1" --prefix none --format '{p}' 2>/dev/null | grep -q "^$dependency v"; then
      echo "wall broken: $1 depends on $dependency" >&2
      fail=1
    fi
  done
}
forbid toji-core tokio axum sqlx datafusion arrow parquet tantivy toji-store toji-ingest toji-ops
forbid toji-ingest tokio axum sqlx datafusion toji-store toji-ops
forbid toji-plant tokio axum sqlx datafusion toji-store toji-ingest toji-ops
# Live protocols do I/O, so they stand beside ingest, which does none; they know no store, only where batches go.
forbid toji-live datafusion sqlx toji-store toji-ingest toji-ops toji-server
forbid toji-ingest rumqttc tonic async-opcua toji-live
forbid toji-store rumqttc tonic async-opcua toji-live
forbid toji-sense tokio axum sqlx datafusion arrow toji-store toji-ingest toji-ops
# Engines are pure: they know toji-core only.
forbid toji-flux tokio axum sqlx datafusion arrow toji-store toji-ingest toji-ops toji-plant toji-sense toji-live toji-culture
forbid toji-culture tokio axum sqlx datafusion arrow toji-store toji-ingest toji-ops toji-plant toji-sense toji-live
# The commons judges and keeps nothing: it may be asked by any crate above and knows none.
forbid toji-commons tokio axum sqlx datafusion arrow toji-store toji-ingest toji-ops toji-plant toji-sense toji-live toji-culture
# The Cedar text of the commons is proved in proofs/; nothing that is shipped links Cedar.
forbid toji cedar-policy
forbid toji-store axum toji-ingest toji-ops toji-server
forbid toji-ops axum clap toji-server
# Faces know operations only.
for face in toji-server toji; do
  if cargo metadata --locked --offline --no-deps --format-version 1 |
    python3 -c "import json,sys; d=json.load(sys.stdin); p=[p for p in d['packages'] if p['name']=='$face'][0]; bad={'toji-store','toji-ingest','sqlx','datafusion'}&{x['name'] for x in p['dependencies'] if x['kind'] is None}; print(*bad); sys.exit(bool(bad))"; then :; else
    echo "wall broken: $face knows what lies below the operations" >&2
    fail=1
  fi
done
[ "$fail" = 0 ] && echo "walls stand"
exit "$fail"
