"""One simulating peer: `peer_sim.py NAME settings.csv N KEEP RELATIVE ABSOLUTE` prints JSON; CPU seconds of N simulations
after a warm one, and the courses of the first KEEP."""

import json
import math
import sys
import time

import numpy as np

import model

GRID = np.linspace(0.0, model.END, model.OUTPUTS)


def compiled(varying=tuple(model.PARAMETERS)):
    """The right-hand side and the bolus, compiled."""
    import numba

    place = {"np": np, "exp": math.exp}
    exec(compile(model.python(varying), "model", "exec"), place)
    fast = {"error_model": "numpy"}
    return numba.njit(place["rates"], **fast), numba.njit(place["bolus"], **fast)


def solve(rates, bolus, setting, times, method, relative, absolute, varying=tuple(model.PARAMETERS)):
    """One course at `times` by SciPy, piece by piece; at an instant of an event the state after it."""
    from scipy.integrate import solve_ivp

    y = np.array([model.INITIAL[s] for s in model.STATES])
    y[0] = setting[varying.index("X_0")]
    out = np.full((len(times), 8), np.nan)
    for start, end, phase, added in model.segments():
        if added:
            y = bolus(y)
        inside = (times >= start) & ((times < end) | (end == model.END))
        asked = np.union1d(times[inside], [end])
        found = solve_ivp(rates, (start, end), y, method=method, args=(setting, np.array(phase)), t_eval=asked, rtol=relative, atol=absolute)
        if not found.success:
            raise RuntimeError(found.message)
        out[inside] = found.y.T[: inside.sum()]
        y = found.y[:, -1]
    return out


def scipy(settings, relative, absolute):
    rates, bolus = compiled()
    return lambda setting: solve(rates, bolus, setting, GRID, "LSODA", relative, absolute)


def reference(settings, relative, absolute):
    """Radau, far tighter: what errors are measured against."""
    rates, bolus = compiled()
    return lambda setting: solve(rates, bolus, setting, GRID, "Radau", relative, absolute)


def roadrunner(settings, relative, absolute):
    import roadrunner as rr

    rr.Logger.setLevel(rr.Logger.LOG_ERROR)
    runner = rr.RoadRunner(model.sbml())
    runner.integrator.setValue("relative_tolerance", relative)
    runner.integrator.setValue("absolute_tolerance", absolute)
    runner.integrator.setValue("stiff", True)
    runner.timeCourseSelections = model.STATES
    names = ["X" if n == "X_0" else n for n in model.PARAMETERS]

    def one(setting):
        runner.resetAll()
        for name, value in zip(names, setting):
            runner.setValue(name, value)
        return np.array(runner.simulate(0.0, model.END, model.OUTPUTS))

    return one


def main():
    name, path, n, keep, relative, absolute = sys.argv[1:]
    settings = np.loadtxt(path, delimiter=",", skiprows=1)[: int(n)]
    one = {"scipy": scipy, "roadrunner": roadrunner, "reference": reference}[name](settings, float(relative), float(absolute))
    kept = [one(s) for s in settings[: int(keep)]]
    begin = time.process_time()
    if name != "reference":
        for setting in settings:
            one(setting)
    print(json.dumps({"cpu_s": time.process_time() - begin, "n": len(settings), "courses": [k.tolist() for k in kept]}))


if __name__ == "__main__":
    main()
