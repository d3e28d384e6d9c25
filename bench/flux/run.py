#!/usr/bin/env python3
"""Metabolic models: Toji beside COBRApy and StrainDesign, in one run on one machine.

One process with one thread, COBRApy and StrainDesign with GLPK; besides COBRApy with its hybrid solver, two processes of COBRApy
beside two threads of ours (wall time), and the cut sets of StrainDesign with SCIP.

    python3 bench/flux/run.py                             # everything that is found, best of 3 rounds
    python3 bench/flux/run.py --rounds 1 --limit 90 --models e_coli_core,iJO1366
    python3 bench/flux/run.py --no-install --peers cobrapy

Installs the peers into target/flux/venv, builds the examples bench_flux, bench_design and bench_sample of toji-flux, runs each task in a process of its own
and prints CPU seconds and their ratios. Models are looked for in ../shared/data/gem/models, or below TOJI_SHARED. What came
out is compared and the run ends with an error where it differs; nothing is asserted about time.
"""

import argparse
import datetime
import gzip
import importlib
import json
import os
import platform
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent
WORK = Path(os.environ.get("FLUX_WORK", ROOT / "target" / "flux"))
SHARED = Path(os.environ.get("TOJI_SHARED", ROOT.parent / "shared")) / "data/gem/models"
MODELS = {"e_coli_core": "e_coli_core.xml", "RehMBEL1391": "RehMBEL1391.json", "iJO1366": "iJO1366.xml", "iML1515": "iML1515.xml"}
TASKS = ["load", "fba", "pfba", "fva_100", "fva_90", "single_gene_deletions", "double_gene_deletions"]
# Uniform samples, thinned alike and judged alike.
SAMPLED = ["iJO1366", "RehMBEL1391"]
# A peer takes the better part of an hour or more for all pairs of a genome-scale model.
DOUBLES = ["e_coli_core"]
CUT_SETS = ["e_coli_core"]
PEERS = {"cobrapy": [*TASKS, "sampling"], "straindesign": ["fva_100", "fva_90", "cut_sets"], "cobrapy_hybrid": ["fba", "pfba", "fva_100", "fva_90", "single_gene_deletions"],
         "cobrapy_two": ["fva_100", "fva_90", "single_gene_deletions"]}
# With the hybrid solver the ranges and deletions of a genome-scale model take a quarter of an hour and more.
HYBRID = ["e_coli_core"]
# Threads of ours beside the processes of this peer.
TWO = {"toji_two": 2}
# The kernel brings a process's CPU time up to date at its ticks, some milliseconds apart, so that one run of a small model says
# nothing. Ours is the mean over processes until they took this long, or are so many; their starts fall anywhere between ticks.
ENOUGH_CPU_S, PROCESSES_MAX = 2.0, 200


def environment():
    one = {name: "1" for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")}
    return {**os.environ, **one, "PYTHONDONTWRITEBYTECODE": "1"}


def say(text):
    print(f"[flux {datetime.datetime.now():%H:%M:%S}] {text}", flush=True)


def run(*command, limit=None):
    """Its last line or whole output as JSON; why not, where it fails or takes too long."""
    try:
        done = subprocess.run([str(c) for c in command], capture_output=True, text=True, env=environment(), timeout=limit)
    except subprocess.TimeoutExpired:
        return {"stopped": f"stopped after {limit:g} s"}
    if done.returncode != 0:
        return {"stopped": (done.stderr.strip().splitlines() or ["failed"])[-1][:300]}
    try:
        return json.loads(done.stdout)
    except ValueError:
        return json.loads(done.stdout.strip().splitlines()[-1])


def install():
    """The pinned peers in a virtual environment."""
    venv, wanted = WORK / "venv", (HERE / "peers.txt").read_text()
    stamp = venv / "peers.txt"
    if not stamp.exists() or stamp.read_text() != wanted:
        say("installing the peers")
        subprocess.run([sys.executable, "-m", "venv", str(venv)], check=True)
        subprocess.run([str(venv / "bin/pip"), "install", "--quiet", "--disable-pip-version-check", "-r", str(HERE / "peers.txt")], check=True)
        stamp.write_text(wanted)


def example(name="bench_flux"):
    return Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target")) / "release/examples" / name


def build():
    subprocess.run(["cargo", "build", "--release", "-p", "toji-flux", "--example", "bench_flux", "--example", "bench_design", "--example", "bench_sample"], cwd=ROOT, check=True)


def unpacked(name):
    """The model's file, unpacked for both sides; none where there is none."""
    source = SHARED / MODELS[name]
    packed = source.with_name(source.name + ".gz")
    if source.exists():
        return source
    if not packed.exists():
        return None
    (WORK / "models").mkdir(parents=True, exist_ok=True)
    place = WORK / "models" / source.name
    place.write_bytes(gzip.decompress(packed.read_bytes()))
    return place


def keep(of, name, found, by="cpu_s"):
    """Of the rounds, the one with less time; a figure before a reason why there is none."""
    known = of.get(name)
    if known is None or by in found and (by not in known or found[by] < known[by]):
        of[name] = found


def ours(sides, path, limit):
    total, count = {}, 0
    while count == 0 or sum(total.values()) < ENOUGH_CPU_S and count < PROCESSES_MAX:
        found = run(example(), path, limit=limit)
        if "stopped" in found:
            for task in TASKS:
                keep(sides["toji"], task, found)
            return
        count += 1
        for task, seconds in found["cpu_s"].items():
            total[task] = total.get(task, 0.0) + seconds
    cpu = {task: seconds / count for task, seconds in total.items()}
    genes = found["programmes"][2:]
    # COBRApy's reading includes building its linear programme.
    answers = {"load": {}, "fba": {"growth": found["growth"]}, "pfba": {"total": found["pfba_total"]}, "fva_100": {"programmes": found["programmes"][0]},
               "fva_90": {"programmes": found["programmes"][1]}, "single_gene_deletions": {"lost": found["essential_genes"], "programmes": genes[0]},
               "double_gene_deletions": {"judged": found["pairs"], "lost": found["lethal_pairs"], "programmes": genes[1]}}
    for task in TASKS:
        seconds = cpu["load"] + cpu["network"] if task == "load" else cpu[task]
        keep(sides["toji"], task, {"cpu_s": seconds, "processes": count, **answers[task]})


def ours_two(sides, path, limit):
    """Wall times with two threads, the least of some processes."""
    for side, threads in TWO.items():
        for _ in range(5):
            found = run(example(), path, threads, limit=limit)
            for task in PEERS["cobrapy_two"]:
                keep(sides[side], task, {"wall_s": found["wall_s"][task]} if "wall_s" in found else found, by="wall_s")


def our_cut_sets(side, path, limit):
    total, count = 0.0, 0
    while count == 0 or total < ENOUGH_CPU_S and count < PROCESSES_MAX:
        found = run(example("bench_design"), path, 3, limit=limit)
        if "stopped" in found:
            keep(side, "cut_sets", found)
            return
        count, total = count + 1, total + (found["wall_s"] if found["cpu_s"] is None else found["cpu_s"])
    keep(side, "cut_sets", {"cpu_s": total / count, "processes": count, "sets": sum(found["by_size"]), "programmes": found["programmes"]})


def our_samples(side, path, limit):
    keep(side, "sampling", run(example("bench_sample"), path, limit=limit))


def asked_of(side, name):
    """Tasks of a peer on a model."""
    without = {"double_gene_deletions": DOUBLES, "cut_sets": CUT_SETS, "sampling": SAMPLED}
    if side == "cobrapy_hybrid":
        without |= {task: HYBRID for task in ("fva_100", "fva_90", "single_gene_deletions")}
    return [task for task in PEERS[side] if name in without.get(task, [name])]


def measure(asked, result):
    for number in range(asked.rounds):
        for name in result["models"]:
            path, sides = unpacked(name), result["models"][name]["sides"]
            say(f"round {number + 1}: {name}: toji")
            ours(sides, path, asked.limit)
            if "cobrapy_two" in asked.peers:
                ours_two(sides, path, asked.limit)
            if name in CUT_SETS:
                our_cut_sets(sides["toji"], path, asked.limit)
            if name in SAMPLED:
                our_samples(sides["toji"], path, asked.limit)
            for side in asked.peers:
                by = "wall_s" if side == "cobrapy_two" else "cpu_s"
                for task in asked_of(side, name):
                    if "stopped" in sides[side].get(task, {}):
                        continue
                    say(f"round {number + 1}: {name}: {side}, {task}")
                    thinning = [sides["toji"][task].get("thinning", 1000)] if task == "sampling" else []
                    keep(sides[side], task, run(WORK / "venv/bin/python", HERE / "peer.py", side, task, path, *thinning, limit=asked.limit), by=by)


def differences(result):
    """Answers of ours that are not the peer's."""
    found = []
    for name, model in result["models"].items():
        for side, tasks in model["sides"].items():
            for task, theirs in tasks.items():
                mine = model["sides"]["toji"].get(task, {})
                for key in ("growth", "total", "lost", "sets"):
                    if key in theirs and key in mine and abs(theirs[key] - mine[key]) > 1e-6 * max(1.0, abs(mine[key])):
                        found.append(f"{name}, {task}: {key} {mine[key]} here, {theirs[key]} by {side}")
    return found


def machine(peers):
    name = next((line.split(":")[1].strip() for line in Path("/proc/cpuinfo").read_text().splitlines() if line.startswith("model name")), platform.machine())
    wanted = [line.partition("==")[0] for line in (HERE / "peers.txt").read_text().splitlines() if line] if peers else []
    versions = run(WORK / "venv/bin/python", "-c", f"import json,importlib.metadata as m;print(json.dumps({{n:m.version(n) for n in {wanted!r}}}))") if peers else {}
    return {"cpu": name, "cores": os.cpu_count(), "kernel": platform.release(), "load_1min": os.getloadavg()[0], "python": platform.python_version(),
            "rustc": subprocess.run(["rustc", "--version"], capture_output=True, text=True, cwd=ROOT).stdout.strip(), "peers": versions}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=3, help="of each figure the best round counts")
    parser.add_argument("--limit", type=float, default=300.0, help="longest wall time of one task, seconds")
    parser.add_argument("--models", default=",".join(MODELS), help="comma list of " + ", ".join(MODELS))
    parser.add_argument("--peers", default=",".join(PEERS), help="comma list; empty for none")
    parser.add_argument("--no-install", action="store_true", help="peers and our example are there already")
    parser.add_argument("--results", type=Path, default=HERE / "results")
    asked = parser.parse_args()
    asked.peers = [p for p in asked.peers.split(",") if p]
    wanted = asked.models.split(",")
    unknown = [f"model {m}" for m in wanted if m not in MODELS] + [f"peer {p}" for p in asked.peers if p not in PEERS]
    if unknown:
        parser.error("unknown: " + ", ".join(unknown))
    WORK.mkdir(parents=True, exist_ok=True)
    present = [m for m in wanted if unpacked(m)]
    if not present:
        raise SystemExit(f"no model of {asked.models} in {SHARED}; name the folder above data/gem by TOJI_SHARED")
    if not asked.no_install:
        if asked.peers:
            install()
        build()
    result = {"bench": "flux", "date": datetime.datetime.now(datetime.timezone.utc).isoformat(timespec="seconds"), "rounds": asked.rounds, "limit_s": asked.limit,
              "machine": machine(asked.peers), "missing": [m for m in wanted if m not in present],
              "models": {m: {"sides": {side: {} for side in ["toji", *TWO, *asked.peers]}} for m in present}}
    measure(asked, result)
    result["machine"]["load_1min_end"] = os.getloadavg()[0]
    result["differences"] = differences(result)
    # What simplex.py measured last of each network.
    newest = {}
    for file in sorted(asked.results.glob("simplex-*.json"), key=lambda f: f.stem[-10:]):
        one = json.loads(file.read_text())
        newest[one["model"]] = one
    result["simplex"] = list(newest.values())
    text = importlib.import_module("report").markdown(result)
    asked.results.mkdir(parents=True, exist_ok=True)
    stem = asked.results / f"flux-{result['date'][:10]}"
    stem.with_suffix(".json").write_text(json.dumps(result, indent=1, ensure_ascii=False) + "\n")
    stem.with_suffix(".md").write_text(text)
    print(text)
    sys.exit(bool(result["differences"]))


if __name__ == "__main__":
    main()
