"""The fit by SciPy, and its judge: `peer_fit.py data DATA.json` writes the problem, `peer_fit.py fit DATA.json` fits by
least_squares (TRF) from each start, `peer_fit.py judge DATA.json POINTS.json` tells χ² of points at a far tighter tolerance."""

import json
import sys
import time

import numpy as np

import model
from peer_sim import compiled, solve

FITTED = {"q_max": 1.3, "Y_XS": 0.5, "q_c": 0.7, "kLa": 250.0, "f_ov": 0.35, "q_Amax": 0.25, "alpha": 0.08, "Y_NX": 0.12}
RECIPE = ["S_feed", "mu_set", "X_0"]
BATCHES = [[500.0, 0.15, 0.3], [420.0, 0.12, 0.5], [600.0, 0.18, 0.2]]
OBSERVED = ["X", "S", "A", "N", "P", "O"]
TIMES = np.arange(1.0, 30.0, 2.0)
NAMES = (*FITTED, *RECIPE)
# Bounds are a third and three times the truth; the starts lie within two thirds of that, by logarithms.
WIDE, STARTS = np.log(3.0), 5


def course(rates, bolus, values, recipe, relative, absolute):
    """The observables of one batch, a row a time."""
    setting = np.array([*values, *recipe])
    found = solve(rates, bolus, setting, TIMES, "LSODA", relative, absolute, NAMES)
    return found[:, [model.STATES.index(o) for o in OBSERVED]]


def problem():
    rates, bolus = compiled(NAMES)
    chance = np.random.default_rng(20)
    truth = np.array(list(FITTED.values()))
    batches = []
    for recipe in BATCHES:
        exact = course(rates, bolus, truth, recipe, 1e-10, 1e-12)
        sd = 0.03 * np.abs(exact) + 0.01 * np.abs(exact).max(axis=0)
        batches.append({"set": dict(zip(RECIPE, recipe)), "values": (exact + sd * chance.normal(size=sd.shape)).tolist(), "sd": sd.tolist()})
    starts = truth * np.exp(2.0 / 3.0 * WIDE * chance.uniform(-1.0, 1.0, (STARTS, len(truth))))
    return {"parameters": [{"name": n, "low": v / np.exp(WIDE), "high": v * np.exp(WIDE)} for n, v in FITTED.items()],
            "observed": OBSERVED, "times": TIMES.tolist(), "batches": batches, "starts": starts.tolist(), "truth": truth.tolist()}


def residuals(data, rates, bolus, relative, absolute):
    read = [(list(b["set"].values()), np.array(b["values"]), np.array(b["sd"])) for b in data["batches"]]

    def of(logs):
        values = np.exp(logs)
        return np.concatenate([((course(rates, bolus, values, recipe, relative, absolute) - v) / sd).ravel() for recipe, v, sd in read])

    return of


def fit(data):
    from scipy.optimize import least_squares

    rates, bolus = compiled(NAMES)
    of = residuals(data, rates, bolus, 1e-6, 1e-9)
    bounds = tuple(np.log([p[e] for p in data["parameters"]]) for e in ("low", "high"))
    of(np.log(data["truth"]))
    found = []
    for start in data["starts"]:
        begin = time.process_time()
        # Steps of differences that suit the solver's tolerance; with the default of 1.5e-8 it sees noise.
        best = least_squares(of, np.log(start), bounds=bounds, method="trf", x_scale="jac", diff_step=1e-4)
        found.append({"cpu_s": time.process_time() - begin, "at": np.exp(best.x).tolist(), "evaluations": int(best.nfev)})
    return found


def main():
    what, path = sys.argv[1:3]
    if what == "data":
        with open(path, "w") as file:
            json.dump(problem(), file)
        return
    with open(path) as file:
        data = json.load(file)
    if what == "fit":
        print(json.dumps(fit(data)))
        return
    with open(sys.argv[3]) as file:
        points = json.load(file)
    of = residuals(data, *compiled(NAMES), 1e-9, 1e-11)
    print(json.dumps([float(np.sum(of(np.log(p)) ** 2)) for p in points]))


if __name__ == "__main__":
    main()
