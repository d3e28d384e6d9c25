"""One task of one peer on one model: `peer.py SIDE TASK MODEL`; prints CPU seconds of the task and what came out, as JSON.

Reading the model is a task of its own and not counted in the others.
"""

import json
import logging
import sys
import time
import warnings

logging.disable(logging.CRITICAL)
warnings.simplefilter("ignore")


def read(path):
    import cobra

    cobra.Configuration().processes = 1
    cobra.Configuration().solver = "glpk"
    return cobra.io.load_json_model(path) if path.endswith(".json") else cobra.io.read_sbml_model(path)


def lost(frame, wild_type, genes):
    """Deletions of so many genes, and those that leave less than 1 %. COBRApy also pairs every gene with itself."""
    rows = frame[frame["ids"].map(len) == genes]
    return {"judged": len(rows), "lost": int((rows["growth"].fillna(0.0) < 0.01 * wild_type).sum())}


def cobrapy(task, model):
    from cobra.flux_analysis import double_gene_deletion, flux_variability_analysis, pfba, single_gene_deletion

    wild_type = model.slim_optimize() if "deletions" in task else None
    start = time.process_time()
    if task == "fba":
        growth = model.optimize().objective_value
        return time.process_time() - start, {"growth": growth}
    if task == "pfba":
        solution = pfba(model)
        return time.process_time() - start, {"total": float(solution.fluxes.abs().sum())}
    if task in ("fva_100", "fva_90"):
        flux_variability_analysis(model, fraction_of_optimum=1.0 if task == "fva_100" else 0.9, processes=1)
        return time.process_time() - start, {}
    if task == "single_gene_deletions":
        frame = single_gene_deletion(model, processes=1)
        return time.process_time() - start, lost(frame, wild_type, 1)
    if task == "double_gene_deletions":
        frame = double_gene_deletion(model, processes=1)
        return time.process_time() - start, lost(frame, wild_type, 2)
    raise SystemExit(f"no such task: {task}")


def straindesign(task, model):
    import straindesign as sd

    objective = {r.id: r.objective_coefficient for r in model.reactions if r.objective_coefficient}
    least = model.slim_optimize() * (1.0 if task == "fva_100" else 0.9)
    start = time.process_time()
    sd.fva(model, constraints=[[objective, ">=", least]], solver="glpk", threads=1)
    return time.process_time() - start, {}


def main(side, task, path):
    import cobra

    solve = {"cobrapy": cobrapy, "straindesign": straindesign}[side]
    # What is imported or compiled at the first call is not counted: a small model that COBRApy brings goes first.
    small = cobra.io.load_model("textbook", cache=False)
    if task == "load":
        start = time.process_time()
        read(path)
        return time.process_time() - start, {}
    solve(task, small)
    return solve(task, read(path))


if __name__ == "__main__":
    seconds, answer = main(*sys.argv[1:])
    print(json.dumps({"cpu_s": seconds, **answer}))
