"""Scores Toji and other programs on the fidelity suite, and writes the table with versions and date.

    python3 bench/fidelity/run.py                installs the programs of peers.txt into target/fidelity/venv
    python3 bench/fidelity/run.py --python PATH  uses a Python that has them already

The suite writes its files, the programs read them, the suite judges everybody by the same rules.
"""

import argparse
import datetime as dt
import os
import platform
import shutil
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent
WORK = ROOT / "target" / "fidelity"


def python(given):
    if given:
        return Path(given)
    venv = WORK / "venv"
    if not (venv / "bin" / "python").exists():
        subprocess.run([sys.executable, "-m", "venv", venv], check=True)
        subprocess.run([venv / "bin" / "pip", "install", "--quiet", "-r", HERE / "peers.txt"], check=True)
    return venv / "bin" / "python"


def suite(command, **settings):
    run = command or ["cargo", "test", "-p", "toji-ingest", "--test", "fidelity", "--"]
    run = [*run, "--exact", "written_out_and_peers_judged", "--nocapture"]
    return subprocess.run(run, cwd=ROOT, env={**os.environ, **settings}, check=True, stdout=subprocess.PIPE, text=True).stdout


def main():
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--python", help="a Python with the programs of peers.txt")
    arguments.add_argument("--suite", nargs="+", help="the built test binary, instead of building it with cargo")
    given = arguments.parse_args()
    cases, peers = WORK / "cases", WORK / "peers"
    for folder in (cases, peers):
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
    suite(given.suite, TOJI_FIDELITY_OUT=str(cases))
    interpreter = python(given.python)
    subprocess.run([interpreter, HERE / "peers.py", cases, peers], check=True)
    judged = suite(given.suite, TOJI_FIDELITY_PEERS=str(peers))
    table = "\n".join(line for line in judged.splitlines() if line.startswith("|") or not line.strip()).strip()
    names = [line.split("==")[0] for line in (HERE / "peers.txt").read_text().splitlines() if "==" in line]
    code = "import importlib.metadata as m, sys\nfor n in sys.argv[1:]:\n  try: print(n, m.version(n))\n  except m.PackageNotFoundError: print(n, 'not installed')"
    versions = subprocess.run([interpreter, "-c", code, *names], check=True, stdout=subprocess.PIPE, text=True).stdout.split("\n")
    commit = subprocess.run(["git", "rev-parse", "--short", "HEAD"], cwd=ROOT, stdout=subprocess.PIPE, text=True).stdout.strip()
    today = dt.datetime.now(dt.timezone.utc).date().isoformat()
    text = f"""# Fidelity suite, {today}

Toji at commit {commit}; {platform.system()} {platform.machine()}; Python {platform.python_version()}; {", ".join(v for v in versions if v)}.

*exact*: everything as the file says. *marked*: what deviates is flagged, kept as text, or listed as not read. *refused*: not
taken in. *silent*: a value, unit, time or identifier differs from the truth without a mark, is invented, or is lost without
being listed. –: not a file for this program.

{table}
"""
    result = HERE / "results" / f"fidelity-{today}.md"
    result.parent.mkdir(exist_ok=True)
    result.write_text(text, encoding="utf-8")
    print(text)


if __name__ == "__main__":
    main()
