"""One task of one peer on one model: `peer.py SIDE TASK MODEL [THINNING]`; prints CPU and wall seconds of the task and what came out, as JSON.

Reading the model is a task of its own and not counted in the others. CPU seconds are those of this process: of a side with more
than one, the wall seconds count.
"""

import json
import logging
import sys
import time
import warnings

logging.disable(logging.CRITICAL)
warnings.simplefilter("ignore")


PROCESSES = {"cobrapy_two": 2}
SOLVERS = {"cobrapy_hybrid": "hybrid"}


def read(side, path):
    import cobra

    cobra.Configuration().processes = PROCESSES.get(side, 1)
    cobra.Configuration().solver = SOLVERS.get(side, "glpk")
    return cobra.io.load_json_model(path) if path.endswith(".json") else cobra.io.read_sbml_model(path)


def clock():
    return time.process_time(), time.perf_counter()


def since(start):
    """CPU and wall seconds."""
    return tuple(now - then for now, then in zip(clock(), start))


def lost(frame, wild_type, genes):
    """Deletions of so many genes, and those that leave less than 1 %. COBRApy also pairs every gene with itself."""
    rows = frame[frame["ids"].map(len) == genes]
    return {"judged": len(rows), "lost": int((rows["growth"].fillna(0.0) < 0.01 * wild_type).sum())}


def cobrapy(side, task, model):
    from cobra.flux_analysis import double_gene_deletion, flux_variability_analysis, pfba, single_gene_deletion

    wild_type = model.slim_optimize() if "deletions" in task else None
    processes, start = PROCESSES.get(side, 1), clock()
    if task == "fba":
        growth = model.optimize().objective_value
        return since(start), {"growth": growth}
    if task == "pfba":
        solution = pfba(model)
        return since(start), {"total": float(solution.fluxes.abs().sum())}
    if task in ("fva_100", "fva_90"):
        flux_variability_analysis(model, fraction_of_optimum=1.0 if task == "fva_100" else 0.9, processes=processes)
        return since(start), {}
    if task == "single_gene_deletions":
        frame = single_gene_deletion(model, processes=processes)
        return since(start), lost(frame, wild_type, 1)
    if task == "double_gene_deletions":
        frame = double_gene_deletion(model, processes=processes)
        return since(start), lost(frame, wild_type, 2)
    raise SystemExit(f"no such task: {task}")


# Draws of OptGP; one chain, as one process makes it.
DRAWS = 300


def convergence(series):
    """Split R̂ and effective sample size of the mean (Gelman et al., Bayesian Data Analysis, 3rd ed., § 11.4-11.5, with Geyer's monotone
    sequence), as `analyse/sample/judge.rs` works them out."""
    import numpy as np

    half = len(series) // 2
    halves = np.stack([series[:half], series[-half:]])
    count, centred = len(halves), halves - halves.mean(axis=1, keepdims=True)
    within = halves.var(axis=1, ddof=1).mean()
    between = half * halves.mean(axis=1).var(ddof=1)
    whole = (half - 1) / half * within + between / half
    if within == 0.0:
        return float("inf"), 1.0
    correlation = lambda lag: 1.0 - (within - (centred[:, lag:] * centred[:, : half - lag]).sum(axis=1).mean() / half) / whole
    total, last, lag = 0.0, float("inf"), 0
    while lag + 1 < half:
        pair = min((1.0 if lag == 0 else correlation(lag)) + correlation(lag + 1), last)
        if pair <= 0.0:
            break
        total, last, lag = total + pair, pair, lag + 2
    time = max(2.0 * total - 1.0, 1.0 / max(np.log10(half * count), 1.0))
    return float((whole / within) ** 0.5), float(half * count / time)


def sampling(model, thinning, draws=DRAWS):
    """OptGP: CPU seconds of the walk alone; those of its warm-up beside them."""
    from cobra.sampling import OptGPSampler

    start = clock()
    sampler = OptGPSampler(model, thinning=thinning, processes=1, seed=7)
    (warm_up, _), start = since(start), clock()
    points = sampler.sample(draws).to_numpy()
    took = since(start)
    moving = [v for v in points.T if v.max() - v.min() > 1e-9 * (1.0 + abs(v).max())]
    judged = sorted((convergence(v) for v in moving), key=lambda found: found[1])
    return took, {"warm_up_cpu_s": warm_up, "draws": draws, "thinning": thinning, "r_hat_max": max(r for r, _ in judged),
                  "effective_min": judged[0][1], "effective_median": judged[len(judged) // 2][1]}


def cut_sets(model):
    """Gene sets of at most three without which growth stays below 0.001 per hour, with SCIP."""
    import straindesign as sd

    (growth,) = [r.id for r in model.reactions if r.objective_coefficient]
    task = sd.SDModule(model, "suppress", constraints=f"{growth} >= 0.001")
    start = clock()
    found = sd.compute_strain_designs(model, sd_modules=[task], gene_kos=True, max_cost=3, solver="scip", solution_approach="best")
    return since(start), {"sets": len(found.gene_sd), "status": found.status}


def straindesign(side, task, model):
    import straindesign as sd

    if task == "cut_sets":
        return cut_sets(model)
    objective = {r.id: r.objective_coefficient for r in model.reactions if r.objective_coefficient}
    least = model.slim_optimize() * (1.0 if task == "fva_100" else 0.9)
    start = clock()
    sd.fva(model, constraints=[[objective, ">=", least]], solver="glpk", threads=1)
    return since(start), {}


def main(side, task, path, thinning="1000"):
    import cobra

    solve = straindesign if side == "straindesign" else cobrapy
    # What is imported or compiled at the first call is not counted: a small model that COBRApy brings goes first.
    small = cobra.io.load_model("textbook", cache=False)
    if task == "load":
        start = clock()
        read(side, path)
        return since(start), {}
    if task == "sampling":
        sampling(small, 10, 10)
        return sampling(read(side, path), int(thinning))
    if task != "cut_sets":
        solve(side, task, small)
    return solve(side, task, read(side, path))


if __name__ == "__main__":
    (cpu, wall), answer = main(*sys.argv[1:])
    print(json.dumps({"cpu_s": cpu, "wall_s": wall, **answer}))
