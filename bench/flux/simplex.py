#!/usr/bin/env python3
"""Flux balance analysis of large networks from nothing, objective by objective: Toji beside HiGHS, CPU seconds of one thread.

    python3 bench/flux/simplex.py --model universe.xml --objectives 10
    python3 bench/flux/simplex.py --copies 5 --no-install         # five of iJO1366 with one medium

The example bench_simplex of toji-flux solves the network and writes the linear programme; HiGHS gets it in a process of its own,
with presolve and without, the faster of the two counts. Passing the programme to HiGHS counts as little as reading the file does
here. Statuses and objectives are compared and the run ends with an error where they differ; nothing is asserted about time.

A network as large as Human-GEM's 12,995 reactions is not among the models of the other runs. `--model` takes any: BiGG's universe
of 25,348 reactions, the union of its models, Recon3D among them, comes with the Python package carveme (1.6.6) as
carveme/data/generated/bigg_universe.xml.gz, that of bacteria (5,532) as universe_bacteria.xml.gz. Without a model a community of
copies of iJO1366 that share one medium is made.
"""

import argparse
import datetime
import importlib
import json
import math
import os
import subprocess
import sys
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
run = importlib.import_module("run")
SAME = 1e-6


def community(path, copies):
    """Copies of a model in COBRA JSON whose exchanges draw on one medium, growing together at one rate."""
    one = json.loads(Path(path).read_text())
    whole = {"id": f"{one['id']}_{copies}", "version": "1", "genes": [], "metabolites": [], "reactions": [], "compartments": {"medium": ""}}
    pools = {}
    for k in range(copies):
        whole["compartments"] |= {f"{c}_{k}": "" for c in one["compartments"]}
        whole["metabolites"] += [{"id": f"{m['id']}_{k}", "name": "", "compartment": f"{m['compartment']}_{k}"} for m in one["metabolites"]]
        for r in one["reactions"]:
            parts = {f"{m}_{k}": a for m, a in r["metabolites"].items()}
            if len(r["metabolites"]) == 1 and r["id"].startswith("EX_"):
                ((met, a),) = r["metabolites"].items()
                pools[met] = (a, r["lower_bound"], r["upper_bound"])
                parts[f"{met}_pool"] = -a
            if r.get("objective_coefficient"):
                parts["together"] = 1 / copies if k else 1
                parts |= {f"equal_{i}": (1 if k == 0 else -1) for i in range(1, copies) if k in (0, i)}
            whole["reactions"].append({"id": f"{r['id']}_{k}", "name": "", "metabolites": parts, "lower_bound": r["lower_bound"], "upper_bound": r["upper_bound"],
                                       "gene_reaction_rule": ""})
    for met, (a, low, high) in pools.items():
        whole["reactions"].append({"id": f"pool_{met}", "name": "", "metabolites": {f"{met}_pool": a}, "lower_bound": copies * low, "upper_bound": copies * high,
                                   "gene_reaction_rule": ""})
    whole["reactions"].append({"id": "growth", "name": "", "metabolites": {"together": -1}, "lower_bound": 0, "upper_bound": 1000, "objective_coefficient": 1,
                               "gene_reaction_rule": ""})
    named = [f"{met}_pool" for met in pools] + ["together"] + [f"equal_{i}" for i in range(1, copies)]
    whole["metabolites"] += [{"id": m, "name": "", "compartment": "medium"} for m in named]
    return whole


def highs(file, presolve):
    """Seconds, status and objective of each objective of a programme."""
    import highspy
    import numpy as np

    p = json.loads(Path(file).read_text())
    names = {highspy.HighsModelStatus.kOptimal: "optimal", highspy.HighsModelStatus.kInfeasible: "infeasible", highspy.HighsModelStatus.kUnbounded: "unbounded",
             highspy.HighsModelStatus.kUnboundedOrInfeasible: "unbounded"}
    open_to = lambda values, infinity: np.array([infinity if v is None else v for v in values])
    answers = []
    for objective in p["objectives"]:
        cost = np.zeros(len(p["lower"]))
        for j, c in objective:
            cost[j] = c
        lp = highspy.HighsLp()
        lp.num_col_, lp.num_row_, lp.col_cost_ = len(cost), p["rows"], cost
        lp.col_lower_, lp.col_upper_ = open_to(p["lower"], -math.inf), open_to(p["upper"], math.inf)
        lp.row_lower_, lp.row_upper_ = open_to(p["row_lower"], -math.inf), open_to(p["row_upper"], math.inf)
        lp.sense_ = highspy.ObjSense.kMaximize if p["maximise"] else highspy.ObjSense.kMinimize
        lp.a_matrix_.format_ = highspy.MatrixFormat.kColwise
        lp.a_matrix_.start_, lp.a_matrix_.index_ = np.array(p["starts"], dtype=np.int32), np.array(p["index"], dtype=np.int32)
        lp.a_matrix_.value_ = np.array(p["value"], dtype=float)
        solver = highspy.Highs()
        for name, value in (("output_flag", False), ("threads", 1), ("parallel", "off"), ("solver", "simplex"), ("presolve", presolve)):
            solver.setOptionValue(name, value)
        start = time.process_time()
        solver.passModel(lp)
        solver.run()
        seconds = time.process_time() - start
        status = names.get(solver.getModelStatus(), str(solver.getModelStatus()))
        answers.append({"cpu_s": seconds, "status": status, "objective": solver.getInfo().objective_function_value if status == "optimal" else None})
    return {"version": solver.version(), "answers": answers}


def measure(asked):
    python, name = run.WORK / "venv/bin/python", "simplex-model.json"
    path, file = asked.model, run.WORK / "simplex.json"
    if path is None:
        path = run.WORK / name
        path.write_text(json.dumps(community(asked.of, asked.copies)))
    mine = theirs = None
    for _ in range(asked.rounds):
        found = run.run(run.example("bench_simplex"), path, asked.objectives, file)
        if "stopped" in found:
            raise SystemExit(found["stopped"])
        ways = {presolve: run.run(python, __file__, "--highs", file, "--presolve", presolve) for presolve in ("on", "off")}
        for way in ways.values():
            if "stopped" in way:
                raise SystemExit(way["stopped"])
        if mine is None:
            mine, theirs = found, ways
            continue
        for kept, new in [(mine, found), *((theirs[w], ways[w]) for w in ways)]:
            for old, now in zip(kept["answers"], new["answers"]):
                old["cpu_s"] = min(old["cpu_s"], now["cpu_s"])
    rows, differ = [], 0
    for k, answer in enumerate(mine["answers"]):
        both = [way["answers"][k] for way in theirs.values()]
        same = any(a["status"] == answer["status"] and (a["objective"] is None or abs(a["objective"] - answer["objective"]) <= SAME * (1 + abs(a["objective"])))
                   for a in both)
        differ += not same
        rows.append({"toji_s": answer["cpu_s"], "highs_presolved_s": both[0]["cpu_s"], "highs_s": both[1]["cpu_s"], "toji": [answer["status"], answer["objective"]],
                     "highs": [[a["status"], a["objective"]] for a in both]})
    total = sum(r["toji_s"] for r in rows)
    # Whichever of its two ways takes less time over all objectives.
    best = min(sum(r[key] for r in rows) for key in ("highs_presolved_s", "highs_s"))
    return {"model": Path(asked.model).name if asked.model else f"{asked.copies} of iJO1366 with one medium", "reactions": mine["reactions"], "rows": mine["rows"],
            "highs": theirs["on"]["version"], "rounds": asked.rounds, "toji_s": total, "highs_s": best, "differ": differ, "objectives": rows}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--model", type=Path, help="COBRA JSON or SBML, unpacked or gzip")
    parser.add_argument("--copies", type=int, default=5)
    parser.add_argument("--of", type=Path, default=run.WORK / "models/iJO1366.json", help="the model in COBRA JSON that is copied")
    parser.add_argument("--objectives", type=int, default=10)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--no-install", action="store_true")
    parser.add_argument("--results", type=Path, default=HERE / "results")
    parser.add_argument("--highs", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--presolve", default="on", help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.highs:
        print(json.dumps(highs(asked.highs, asked.presolve)))
        return
    run.WORK.mkdir(parents=True, exist_ok=True)
    if not asked.no_install:
        run.install()
        subprocess.run(["cargo", "build", "--release", "-p", "toji-flux", "--example", "bench_simplex"], cwd=run.ROOT, check=True)
    result = {"bench": "simplex", "date": datetime.datetime.now(datetime.timezone.utc).isoformat(timespec="seconds"), "load_1min": os.getloadavg()[0], **measure(asked)}
    asked.results.mkdir(parents=True, exist_ok=True)
    (asked.results / f"simplex-{result['reactions']}-{result['date'][:10]}.json").write_text(json.dumps(result, indent=1) + "\n")
    print(json.dumps(result, indent=1))
    sys.exit(bool(result["differ"]))


if __name__ == "__main__":
    main()
