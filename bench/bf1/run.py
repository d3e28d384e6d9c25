#!/usr/bin/env python3
"""BF-1: Toji beside DuckDB, chDB, Polars, pandas, PostgreSQL and SporeDB, in one run on one machine.

    python3 bench/bf1/run.py --days 0.25            # 1.64 million points
    python3 bench/bf1/run.py --days 1 --rounds 1    # 6.57 million
    python3 bench/bf1/run.py --days 30 --peers duckdb,chdb,polars --rounds 1

Installs the peers into target/bf1/venv, builds ours, writes the workload, runs each side in a process of
its own, checks that all give the same answers, and prints ratios. Nothing is asserted about time.
"""

import argparse
import datetime
import json
import os
import platform
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent
WORK = Path(os.environ.get("BF1_WORK", ROOT / "target" / "bf1"))
PEERS = ["duckdb", "chdb", "polars", "pandas", "postgres", "sporedb"]
VENDORS = {
    "roche_cedex_bioht": "ROCHE_CEDEX_BIOHT",
    "novabio_flex2": "NOVABIO_FLEX2",
    "beckman_vi_cell_blu": "BECKMAN_VI_CELL_BLU",
    "beckman_vi_cell_xr": "BECKMAN_VI_CELL_XR",
}


def environment():
    """The peers' environment: BLAS tuned by its own detection, output unbuffered."""
    kept = {k: v for k, v in os.environ.items() if k not in ("OPENBLAS_CORETYPE", "OPENBLAS_L2_SIZE")}
    return {**kept, "PYTHONDONTWRITEBYTECODE": "1", "PYTHONUNBUFFERED": "1"}


def say(text):
    print(f"[bf1 {datetime.datetime.now():%H:%M:%S}] {text}", flush=True)


def install():
    """A virtual environment with the pinned peers; PostgreSQL from Debian."""
    venv = WORK / "venv"
    stamp = venv / "peers.txt"
    wanted = (HERE / "peers.txt").read_text()
    if not stamp.exists() or stamp.read_text() != wanted:
        say("installing the peers (about 3 minutes)")
        subprocess.run([sys.executable, "-m", "venv", str(venv)], check=True)
        subprocess.run([str(venv / "bin/pip"), "install", "--quiet", "--disable-pip-version-check", "-r", str(HERE / "peers.txt")], check=True)
        stamp.write_text(wanted)
    return venv / "bin/python"


def has_postgres():
    if not list(Path("/usr/lib/postgresql").glob("*/bin/initdb")) and shutil.which("apt-get") and os.geteuid() == 0:
        say("installing PostgreSQL")
        subprocess.run(["apt-get", "install", "-y", "-qq", "postgresql"], check=False, env={**os.environ, "DEBIAN_FRONTEND": "noninteractive"})
    return bool(list(Path("/usr/lib/postgresql").glob("*/bin/initdb")))


def build():
    """Our side, built in release mode with the features of the workspace."""
    given = os.environ.get("BF1_TOJI")
    if given:
        return Path(given)
    target = Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target"))
    subprocess.run(["cargo", "build", "--release", "--workspace", "--example", "bf1"], cwd=ROOT, check=True)
    return target / "release/examples/bf1"


def ours(binary, *arguments):
    done = subprocess.run([str(binary), *map(str, arguments)], stdout=subprocess.PIPE, env=environment(), check=True)
    return json.loads(done.stdout)


def workload(binary, days):
    data = WORK / f"data-{days:g}"
    if not (data / "foundry_samples.csv").exists():
        say(f"writing the workload of {days:g} days")
        shutil.rmtree(data, ignore_errors=True)
        ours(binary, "generate", data, days)
    return data


def one_side(name, python, binary, data):
    """One side in an empty folder; the folder is removed after it."""
    work = Path(tempfile.mkdtemp(prefix=f"{name}-", dir=WORK))
    try:
        if name == "toji":
            return ours(binary, "run", work / "store", data)
        out = work / "out.json"
        command = [str(python), str(HERE / "peer.py"), name, str(data), str(work), str(out)]
        done = subprocess.run(command, env=environment(), stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
        if not out.exists():
            return {"peer": name, "failed": done.stderr[-800:], "queries": {}}
        return json.loads(out.read_text())
    finally:
        shutil.rmtree(work, ignore_errors=True)


def better(a, b):
    """Of two rounds the smaller CPU time, figure by figure."""
    if a is None or "failed" in b:
        return a or b
    if "failed" in a:
        return b
    if b["ingest"]["cpu_s"] < a["ingest"]["cpu_s"]:
        a["ingest"] = b["ingest"]
    for name, timing in b["queries"].items():
        known = a["queries"].get(name, {})
        if "cpu_s" in timing and timing["cpu_s"] < known.get("cpu_s", float("inf")):
            a["queries"][name] = timing
    for name in ("rss_bytes", "rss_ingest_bytes"):
        a[name] = max(a[name], b[name])
    return a


def files(data):
    """Files for the parsers: the real ones where present, and ours in vendors' shapes."""
    found = []
    shared = Path(os.environ.get("TOJI_SHARED", ROOT.parent / "shared")) / "data/bioprocess"
    for folder, vendor in VENDORS.items():
        for path in sorted((shared / "allotropy" / folder).glob("*")):
            if path.suffix != ".json":
                found.append(["allotropy", vendor, str(path)])
    packed = shared / "llabka_biolector1/biolector_data.csv.gz"
    if packed.exists():
        import gzip
        plain = WORK / "biolector_data.csv"
        plain.write_bytes(gzip.decompress(packed.read_bytes()))
        found.append(["bletl", None, str(plain)])
    demo = data / "demo"
    found += [["bletl", None, str(p)] for p in sorted(demo.glob("*.biolector.csv"))]
    found += [["detl", None, str(p)] for p in sorted(demo.glob("*.dasware.csv"))]
    if not shared.exists():
        say(f"no real files in {shared}: only our own are parsed")
    return found


def parsers(python, binary, data):
    listed = files(data)
    out = WORK / "parsers.json"
    subprocess.run([str(python), str(HERE / "parsers.py"), str(out)], input=json.dumps(listed), text=True, env=environment(),
                   check=True, stderr=subprocess.DEVNULL)
    theirs = json.loads(out.read_text())
    mine = ours(binary, "parse", *[entry["path"] for entry in theirs])
    for entry in theirs:
        entry["toji"] = mine[entry["path"]]
        entry["file"] = Path(entry.pop("path")).name
    return theirs


def machine():
    model = next((line.split(":")[1].strip() for line in Path("/proc/cpuinfo").read_text().splitlines() if line.startswith("model name")), platform.machine())
    memory = next(int(line.split()[1]) for line in Path("/proc/meminfo").read_text().splitlines() if line.startswith("MemTotal"))
    return {"cpu": model, "cores": os.cpu_count(), "memory_gib": round(memory / 2**20, 1), "kernel": platform.release(), "system": platform.system(),
            "load_1min": os.getloadavg()[0], "python": platform.python_version(),
            "rustc": subprocess.run(["rustc", "--version"], capture_output=True, text=True).stdout.strip()}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--days", type=float, default=0.25)
    parser.add_argument("--peers", default=",".join(PEERS), help="comma list; empty for ours alone")
    parser.add_argument("--rounds", type=int, default=2, help="whole rounds over all sides; of each figure the best counts")
    parser.add_argument("--no-parsers", action="store_true")
    parser.add_argument("--results", type=Path, default=HERE / "results")
    asked = parser.parse_args()
    WORK.mkdir(parents=True, exist_ok=True)
    python, binary = install(), build()
    peers = [p for p in asked.peers.split(",") if p]
    if "postgres" in peers and not has_postgres():
        say("PostgreSQL is not installed (apt-get install postgresql-15): left out")
        peers.remove("postgres")
    data = workload(binary, asked.days)
    result = {"bench": "BF-1", "date": datetime.datetime.now(datetime.timezone.utc).isoformat(timespec="seconds"), "days": asked.days,
              "rounds": asked.rounds, "machine": machine(), "sides": {}}
    # Sides take turns, so that a busy minute of the machine does not fall on one of them alone.
    for number in range(asked.rounds):
        for name in ["toji", *peers]:
            say(f"round {number + 1}: {name}")
            result["sides"][name] = better(result["sides"].get(name), one_side(name, python, binary, data))
    if not asked.no_parsers:
        say("parsers")
        result["parsers"] = parsers(python, binary, data)
    result["machine"]["load_1min_end"] = os.getloadavg()[0]
    import report
    asked.results.mkdir(parents=True, exist_ok=True)
    stem = asked.results / f"bf1-{asked.days:g}d"
    stem.with_name(stem.name + ".json").write_text(json.dumps(result, indent=1, ensure_ascii=False) + "\n")
    text = report.markdown(result)
    stem.with_name(stem.name + ".md").write_text(text)
    print(text)
    if report.disagreements(result):
        sys.exit("answers differ: see above")


if __name__ == "__main__":
    main()
