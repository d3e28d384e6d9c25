"""One peer in a process of its own: `peer.py NAME DATA WORK OUT.json`. Started by run.py."""

import importlib
import json
import sys
import traceback
from pathlib import Path

from measure import Meter, peak_rss_bytes
from workload import QUESTIONS


def main():
    name, data, work, out = sys.argv[1], Path(sys.argv[2]), Path(sys.argv[3]), Path(sys.argv[4])
    only_ingest = "--only-ingest" in sys.argv
    series = sorted(str(p) for p in data.glob("foundry_R*.csv"))
    meter = Meter()
    peer = importlib.import_module(f"peer_{name}").Peer(work, meter)
    result = {"peer": name, "version": peer.version(), "layout": peer.layout, "queries": {}}
    try:
        _, cpu, wall = meter.once(lambda: peer.ingest(series, str(data / "foundry_samples.csv")))
        result["ingest"] = {"cpu_s": cpu, "wall_s": wall, "points": peer.points()}
        result["ingest"].update(peer.ingest_notes())
        result["bytes"] = peer.bytes()
        result["rss_ingest_bytes"] = peak_rss_bytes()
        for query in () if only_ingest else QUESTIONS:
            function = getattr(peer, query, None)
            if function is None:
                result["queries"][query] = {"not_possible": peer.not_possible[query]}
                continue
            try:
                timing, answer = meter.best(function)
                result["queries"][query] = {**timing, "check": getattr(peer, f"check_{query}")(answer)}
            except Exception as error:  # A peer that fails a question says why; the others go on.
                result["queries"][query] = {"failed": f"{type(error).__name__}: {error}"[:500]}
                traceback.print_exc()
        result["rss_bytes"] = peak_rss_bytes()
    finally:
        peer.close()
    out.write_text(json.dumps(result, indent=1, ensure_ascii=False))


if __name__ == "__main__":
    main()
