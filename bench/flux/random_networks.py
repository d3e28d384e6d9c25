#!/usr/bin/env python3
"""Random networks through Toji's engine and through HiGHS: status, objective, and every certificate checked here.

    python3 bench/flux/random_networks.py                       # 100,000 networks
    python3 bench/flux/random_networks.py --count 1000 --seed 7 --no-install

Builds the example random_networks of toji-flux, which draws the networks from a seed and writes them with its answers, solves
each with HiGHS, and ends with an error where the two differ. Certificates are checked with the numbers of the network alone: an
optimum by its point and by the bound that its prices prove, an infeasible network by the weights of its rows (Farkas), an
unbounded one by its point and direction. Where the two differ, HiGHS is asked again without presolve and with tighter tolerances
before the difference counts. A difference from an answer that the simplex method in rational arithmetic gives too is HiGHS's own,
of its tolerances, and counted apart; so is a network of which HiGHS says each time that it does not know.
"""

import argparse
import collections
import datetime
import importlib
import importlib.util
import json
import math
import os
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
run = importlib.import_module("run")
# What HiGHS is asked with, in turn, until it agrees: presolve and tolerances (none: its own, 1e-7).
WAYS = [("choose", None), ("off", None), ("off", 1e-10), ("on", 1e-9)]
# Relative to the size of what is compared, and at least to one.
SAME = 1e-6


def networks(stream):
    """Each network and its answer."""
    for line in stream:
        _, number, kind, rows, columns, sense = line.split()
        read = lambda: [float(w) for w in next(stream).split()[1:]]
        bounds, cost, sides = read(), read(), read()
        entries = next(stream).split()[1:]
        cells = [(int(entries[k]), int(entries[k + 1]), float(entries[k + 2])) for k in range(0, len(entries), 3)]
        yield {"number": int(number), "kind": kind, "rows": int(rows), "columns": int(columns), "maximise": sense == "max", "lower": bounds[::2], "upper": bounds[1::2],
               "cost": cost, "row_lower": sides[::2], "row_upper": sides[1::2], "cells": cells}, next(stream).split()


def parts(words):
    """Lists of numbers by the letter before them."""
    found, name = {}, None
    for word in words:
        if word in ("x", "y", "w", "r"):
            name = word
            found[name] = []
        elif name:
            found[name].append(float(word))
    return found


def sums(p, x):
    """Activity of every row, and the largest of its terms."""
    total, size = [0.0] * p["rows"], [0.0] * p["rows"]
    for i, j, a in p["cells"]:
        total[i] += a * x[j]
        size[i] = max(size[i], abs(a * x[j]))
    return total, size


def is_point(p, x):
    """Does the point keep bounds and rows, to rounding?"""
    inside = all(l - 1e-8 * (1 + abs(v)) <= v <= u + 1e-8 * (1 + abs(v)) for l, v, u in zip(p["lower"], x, p["upper"]))
    total, size = sums(p, x)
    return inside and all(l - 1e-8 * (1 + s) <= t <= u + 1e-8 * (1 + s) for l, t, s, u in zip(p["row_lower"], total, size, p["row_upper"]))


def reach(gain, lower, upper, noise):
    """The most of gain · v between the bounds; a gain that is rounding is none."""
    if abs(gain) <= noise:
        return 0.0
    return gain * (upper if gain > 0 else lower)


def columns_of(p, weights):
    """Weighted sum of the rows in every column, and its largest term."""
    total, size = [0.0] * p["columns"], [0.0] * p["columns"]
    for i, j, a in p["cells"]:
        total[j] += a * weights[i]
        size[j] = max(size[j], abs(a * weights[i]))
    return total, size


def proved(p, status, words):
    """Does the certificate prove the answer?"""
    found, sign = parts(words), 1.0 if p["maximise"] else -1.0
    if status == "optimal":
        value, x, y = float(words[0]), found["x"], found["y"]
        total, size = columns_of(p, y)
        bound = sum(reach(sign * (c - t), l, u, 1e-9 * max(abs(c), s, 1e-3)) for c, t, s, l, u in zip(p["cost"], total, size, p["lower"], p["upper"]))
        bound += sum(reach(sign * v, l, u, 1e-9) for v, l, u in zip(y, p["row_lower"], p["row_upper"]))
        at = sum(c * v for c, v in zip(p["cost"], x))
        return is_point(p, x) and abs(at - value) <= SAME * (1 + abs(value)) and abs(sign * bound - value) <= SAME * (1 + abs(value))
    if status == "infeasible":
        if words[0] == "crossed":
            k, n = int(words[1]), p["columns"]
            return p["lower"][k] > p["upper"][k] if k < n else p["row_lower"][k - n] > p["row_upper"][k - n]
        w = found["w"]
        total, size = columns_of(p, w)
        high = sum(reach(t, l, u, 1e-9 * s) for t, s, l, u in zip(total, size, p["lower"], p["upper"]))
        high += sum(reach(-v, l, u, 0.0) for v, l, u in zip(w, p["row_lower"], p["row_upper"]))
        low = -sum(reach(-t, l, u, 1e-9 * s) for t, s, l, u in zip(total, size, p["lower"], p["upper"]))
        low -= sum(reach(v, l, u, 0.0) for v, l, u in zip(w, p["row_lower"], p["row_upper"]))
        return low > 0.0 or high < 0.0
    x, r = found["x"], found["r"]
    total, size = sums(p, r)
    still = all(abs(t) <= 1e-8 * max(s, 1e-3) or (t < 0 or u == math.inf) and (t > 0 or l == -math.inf) for t, s, l, u in zip(total, size, p["row_lower"], p["row_upper"]))
    free = all((v <= 0 or u == math.inf) and (v >= 0 or l == -math.inf) for v, l, u in zip(r, p["lower"], p["upper"]))
    return is_point(p, x) and still and free and sign * sum(c * v for c, v in zip(p["cost"], r)) > 0.0


class Highs:
    def __init__(self):
        import highspy
        import numpy

        self.highspy, self.numpy, self.kept = highspy, numpy, highspy.Highs()
        self.kept.setOptionValue("output_flag", False)
        self.kept.setOptionValue("threads", 1)
        self.names = {highspy.HighsModelStatus.kOptimal: "optimal", highspy.HighsModelStatus.kInfeasible: "infeasible", highspy.HighsModelStatus.kUnbounded: "unbounded"}

    def solve(self, p, presolve, tolerance):
        """Status and objective."""
        np, lp = self.numpy, self.highspy.HighsLp()
        lp.num_col_, lp.num_row_ = p["columns"], p["rows"]
        lp.col_cost_, lp.col_lower_, lp.col_upper_ = (np.array(p[k]) for k in ("cost", "lower", "upper"))
        lp.row_lower_, lp.row_upper_ = np.array(p["row_lower"]), np.array(p["row_upper"])
        lp.sense_ = self.highspy.ObjSense.kMaximize if p["maximise"] else self.highspy.ObjSense.kMinimize
        starts = np.zeros(p["columns"] + 1, dtype=np.int32)
        for _, j, _ in p["cells"]:
            starts[j + 1] += 1
        lp.a_matrix_.format_ = self.highspy.MatrixFormat.kColwise
        lp.a_matrix_.start_ = np.cumsum(starts, dtype=np.int32)
        lp.a_matrix_.index_ = np.array([c[0] for c in p["cells"]], dtype=np.int32)
        lp.a_matrix_.value_ = np.array([c[2] for c in p["cells"]])
        highs = self.kept
        highs.setOptionValue("presolve", presolve)
        for name in ("primal_feasibility_tolerance", "dual_feasibility_tolerance"):
            highs.setOptionValue(name, tolerance or 1e-7)
        highs.passModel(lp)
        highs.run()
        return self.names.get(highs.getModelStatus(), "undecided"), highs.getInfo().objective_function_value


def differs(mine, value, theirs, objective):
    return mine != theirs or mine == "optimal" and abs(value - objective) > SAME * (1 + abs(objective))


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--count", type=int, default=100_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--no-install", action="store_true", help="HiGHS and our example are there already")
    parser.add_argument("--results", type=Path, default=HERE / "results")
    asked = parser.parse_args()
    if not asked.no_install:
        run.install()
        subprocess.run(["cargo", "build", "--release", "-p", "toji-flux", "--example", "random_networks"], cwd=run.ROOT, check=True)
    if importlib.util.find_spec("highspy") is None:
        # Again with the peers' own Python.
        os.execv(run.WORK / "venv/bin/python", [str(run.WORK / "venv/bin/python"), __file__, *sys.argv[1:], "--no-install"])
    highs, tally, odd = Highs(), collections.Counter(), []
    command = [run.example().with_name("random_networks"), str(asked.count), str(asked.seed)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as ours:
        for p, (status, *words) in networks(ours.stdout):
            value = float(words[0]) if status == "optimal" else math.nan
            answers = []
            for way in WAYS:
                answers.append(highs.solve(p, *way))
                if not differs(status, value, *answers[-1]):
                    break
            decided = [answer for answer in answers if answer[0] != "undecided"]
            theirs, objective = decided[-1] if decided else answers[-1]
            wrong = bool(decided) and differs(status, value, theirs, objective)
            if wrong and status != "failed":
                again = subprocess.run([*command, str(p["number"])], capture_output=True, text=True, check=True).stdout.splitlines()
                _, exactly, *optimum = again[-1].split()
                theirs_alone = exactly != "unknown" and not differs(status, value, exactly, float(optimum[0]) if optimum else math.nan)
                tally["HiGHS off the exact answer"] += theirs_alone
                wrong = not theirs_alone
            tally["asked again"] += len(answers) > 1
            tally["undecided by HiGHS"] += not decided
            unproved = status != "failed" and not proved(p, status, words)
            tally["networks"] += 1
            tally[f"{p['kind']}: {status}"] += 1
            tally[status] += 1
            tally["differ"] += wrong
            tally["unproved"] += unproved
            if (wrong or unproved) and len(odd) < 50:
                odd.append({"network": p["number"], "kind": p["kind"], "toji": [status, None if math.isnan(value) else value], "highs": answers, "proved": not unproved})
            if tally["networks"] % 10_000 == 0:
                run.say(f"{tally['networks']:,} networks, {tally['differ']} differ, {tally['unproved']} unproved")
    if ours.returncode != 0 or tally["networks"] != asked.count:
        raise SystemExit("random_networks did not come to its end")
    result = {"bench": "random networks", "date": datetime.datetime.now(datetime.timezone.utc).isoformat(timespec="seconds"), "seed": asked.seed,
              "highs": highs.kept.version(), "tally": dict(sorted(tally.items())), "odd": odd}
    asked.results.mkdir(parents=True, exist_ok=True)
    (asked.results / f"random-networks-{result['date'][:10]}.json").write_text(json.dumps(result, indent=1) + "\n")
    print(json.dumps(result, indent=1))
    sys.exit(bool(tally["differ"] or tally["unproved"] or tally["failed"]))


if __name__ == "__main__":
    main()
