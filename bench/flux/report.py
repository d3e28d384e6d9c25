"""The report: goals reached, not reached and not measured, then CPU seconds of every side and their ratios."""

NAMES = {"toji": "Toji", "cobrapy": "COBRApy, GLPK", "straindesign": "StrainDesign, GLPK", "cobrapy_hybrid": "COBRApy, hybrid"}
TASKS = {"load": "read", "fba": "FBA", "pfba": "pFBA", "fva_100": "FVA at 100 %", "fva_90": "FVA at 90 %", "single_gene_deletions": "single gene deletions",
         "double_gene_deletions": "double gene deletions", "cut_sets": "cut sets of at most three genes (StrainDesign: SCIP)"}
# Task, peer, times as fast, models. Reading is a goal for iML1515; the other models are held to the same.
RATIOS = [("load", "cobrapy", 50, ["iML1515", "iJO1366", "RehMBEL1391"]), ("fva_100", "cobrapy", 200, ["iJO1366", "iML1515", "RehMBEL1391"]),
          ("fva_90", "straindesign", 8, ["iJO1366", "iML1515", "RehMBEL1391"]), ("single_gene_deletions", "cobrapy", 25, ["iJO1366", "iML1515", "RehMBEL1391"]),
          ("double_gene_deletions", "cobrapy", 300, ["e_coli_core"]), ("cut_sets", "straindesign", 500, ["e_coli_core"])]
PAIRS_CPU_S = 10.0
# Effective samples (median over the fluxes that move) for each CPU second: times as many as OptGP, models. Ours are charged for all that
# comes before the walk, OptGP's warm-up is not counted.
SAMPLING = (10, ["iJO1366", "RehMBEL1391"])
# Networks as large as Human-GEM's 12,995 reactions, and larger.
LARGE = 12_995


def table(head, rows):
    return "\n".join(["| " + " | ".join(r) + " |" for r in [head, ["---"] * len(head), *rows]])


def of(result, model, side, task):
    return result["models"].get(model, {}).get("sides", {}).get(side, {}).get(task, {})


def seconds(found):
    if "cpu_s" not in found:
        return found.get("stopped", "–")
    s = found["cpu_s"]
    return f"{s:.2f}" if s >= 1 else f"{s:.4f}"


def ratio(result, model, side, task):
    """How many times the peer's CPU time is ours."""
    mine, theirs = of(result, model, "toji", task), of(result, model, side, task)
    return theirs["cpu_s"] / mine["cpu_s"] if mine.get("cpu_s", 0.0) > 0.0 and "cpu_s" in theirs else None


def rate(found):
    """Effective samples for each CPU second."""
    return found["effective_median"] / found["cpu_s"] if found.get("cpu_s") and "effective_median" in found else None


def sampled(result):
    """Goals of sampling."""
    least, models = SAMPLING
    rows = []
    for model in models:
        mine, theirs = of(result, model, "toji", "sampling"), of(result, model, "cobrapy", "sampling")
        goal = f"effective samples of {model} a CPU second ≥ {least} × COBRApy, OptGP"
        if rate(mine) is None or rate(theirs) is None:
            why = theirs.get("stopped") or mine.get("stopped")
            rows.append([goal, why or ("no model at hand" if model not in result["models"] else "not asked for"), "not measured"])
            continue
        times = rate(mine) / rate(theirs)
        told = (f"{times:,.0f} × ({rate(mine):,.0f} and {rate(theirs):,.2f}; every {mine['thinning']:,} steps; R̂ at most {mine['r_hat_max']:.3f} and "
                f"{theirs['r_hat_max']:.2f}; warm-up of OptGP, not counted, {theirs['warm_up_cpu_s']:.1f} s)")
        rows.append([goal, told, "reached" if times >= least else "**NOT REACHED**"])
    return rows


def two(result, model):
    """Wall seconds on two processes of the peer and two threads of ours."""
    sides = result["models"][model]["sides"]
    rows = []
    for task, theirs in sides.get("cobrapy_two", {}).items():
        mine = sides.get("toji_two", {}).get(task, {})
        wall = lambda found: {"cpu_s": found["wall_s"]} if "wall_s" in found else found
        times = f"{theirs['wall_s'] / mine['wall_s']:,.1f} ×" if "wall_s" in theirs and "wall_s" in mine else "–"
        rows.append([TASKS[task], seconds(wall(mine)), seconds(wall(theirs)), times])
    return table(["wall seconds", "Toji, two threads", "COBRApy, GLPK, two processes", "COBRApy / Toji"], rows) if rows else None


def goals(result):
    rows = []
    for task, side, least, models in RATIOS:
        for model in models:
            goal = f"{TASKS[task]} of {model} ≥ {least} × {NAMES[side]}"
            times = ratio(result, model, side, task)
            if times is None:
                why = of(result, model, side, task).get("stopped") or of(result, model, "toji", task).get("stopped")
                rows.append([goal, why or ("no model at hand" if model not in result["models"] else "not asked for"), "not measured"])
            else:
                measured = f"{times:,.{0 if times >= 20 else 1}f} × ({seconds(of(result, model, 'toji', task))} s, {seconds(of(result, model, side, task))} s)"
                rows.append([goal, measured, "reached" if times >= least else "**NOT REACHED**"])
    pairs = of(result, "iJO1366", "toji", "double_gene_deletions")
    goal = f"all double gene deletions of iJO1366 in ≤ {PAIRS_CPU_S:g} CPU seconds"
    if "cpu_s" in pairs:
        rows.append([goal, f"{pairs['cpu_s']:.2f} s for {pairs['judged']:,} pairs", "reached" if pairs["cpu_s"] <= PAIRS_CPU_S else "**NOT REACHED**"])
    else:
        rows.append([goal, pairs.get("stopped", "no model at hand"), "not measured"])
    return rows + sampled(result) + large(result)


def large(result):
    """FBA of large networks beside HiGHS, as simplex.py measured it."""
    found = [one for one in result.get("simplex", []) if one["reactions"] >= LARGE]
    if not found:
        return [["FBA of a network of Human-GEM's size no slower than HiGHS", "simplex.py has not been run", "not measured"]]
    rows = []
    for one in found:
        goal = f"FBA of {one['model']} ({one['reactions']:,} reactions) no slower than HiGHS, {len(one['objectives'])} objectives"
        measured = f"{one['toji_s']:.2f} s, {one['highs_s']:.2f} s ({one['date'][:10]})"
        rows.append([goal, measured, "reached" if one["toji_s"] <= one["highs_s"] else "**NOT REACHED**"])
    return rows


def measured(result, model):
    sides = [side for side in result["models"][model]["sides"] if side in NAMES]
    rows = []
    for task, name in TASKS.items():
        times = [ratio(result, model, side, task) for side in sides[1:]]
        mine = of(result, model, "toji", task)
        noted = ", ".join(f"{mine[what]:,} {word}" for what, word in (("programmes", "programmes"), ("judged", "pairs")) if what in mine)
        rows.append([name, *[seconds(of(result, model, side, task)) for side in sides], *["–" if t is None else f"{t:,.1f} ×" for t in times], noted])
    count = of(result, model, "toji", "fba").get("processes")
    under = f"\n\nToji: {'one process' if count == 1 else f'mean over {count} processes'} a round." if count else ""
    return table(["CPU seconds", *[NAMES[s] for s in sides], *[f"{NAMES[s]} / Toji" for s in sides[1:]], "Toji solved"], rows) + under


def markdown(result):
    m = result["machine"]
    peers = ", ".join(f"{n} {v}" for n, v in m["peers"].items())
    parts = ["# Metabolic models beside their peers",
             f"{result['date']} · {m['cpu']}, {m['cores']} cores, Linux {m['kernel']} · load {m['load_1min']:.1f} → {m['load_1min_end']:.1f} · {m['rustc']} · "
             f"Python {m['python']} · best of {result['rounds']} rounds, each task at most {result['limit_s']:g} s · {peers}",
             "CPU seconds of one process with one thread, unless wall seconds are named. Ratios within one run count; a busy machine slows all sides.",
             "## Goals", table(["goal", "measured", ""], goals(result))]
    for model in result["models"]:
        parts += [part for part in (f"## {model}", measured(result, model), two(result, model)) if part]
    compared = "growth, pFBA's total, genes and pairs that leave less than 1 %, the number of cut sets"
    if m["peers"]:
        parts += ["## Answers", "\n".join(f"* {d}" for d in result["differences"]) or f"The same on all sides, to 1e-6: {compared}."]
    return "\n\n".join(parts) + "\n"
