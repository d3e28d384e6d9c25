"""The report: goals reached and not reached, then every side with its CPU seconds and what came out."""

NAMES = {"roadrunner": "libRoadRunner", "cvode": "CVODE (C, BDF)", "scipy": "SciPy LSODA, numba", "diffsol bdf": "diffsol (Rust, BDF)",
         "diffsol tr-bdf2": "diffsol (Rust, TR-BDF2)", "diffsol esdirk34": "diffsol (Rust, ESDIRK3(4))"}


def table(head, rows):
    return "\n".join(["| " + " | ".join(r) + " |" for r in [head, ["---"] * len(head), *rows]])


def verdict(reached):
    return "reached" if reached else "**NOT REACHED**"


def ours_for(result, error):
    """Our fastest tolerance whose error over the course is no greater."""
    good = [one for one in result["sim"]["toji"].values() if one["error_course"] <= error and not one["failed"]]
    return min(good, key=lambda one: one["cpu_s"]) if good else None


def of_sim(result):
    found = result["sim"]
    rows = []
    for name, peer in sorted(found["peers"].items(), key=lambda p: p[1]["cpu_s"]):
        mine = ours_for(result, peer["error_course"])
        said = "no setting of ours is as exact" if mine is None else (
            f"{mine['cpu_s'] / peer['cpu_s']:.3f}× ({mine['cpu_s']:.2f} s at {mine['relative']:g} and {mine['absolute']:g}, error {mine['error_course']:.1e}; {peer['cpu_s']:.2f} s, {peer['error_course']:.1e})")
        best = " — the fastest peer here" if not any("at no greater error over the course" in row[0] for row in rows) else ""
        rows.append((f"{found['n']:,} fed-batch simulations ≤ 1/3 of the CPU time of {NAMES[name]}{best}, at no greater error over the course", said,
                     mine is not None and mine["cpu_s"] <= peer["cpu_s"] / 3.0))
        # Harder: the end too, where what is nearly used up counts by its own size.
        good = [one for one in found["toji"].values() if all(one[e] <= peer[e] for e in ("error_course", "error_end")) and not one["failed"]]
        both = min(good, key=lambda one: one["cpu_s"]) if good else None
        rows.append((f"the same, at no greater error at the end either ({NAMES[name]})", "no setting of ours is as exact" if both is None else
                     f"{both['cpu_s'] / peer['cpu_s']:.3f}× ({both['cpu_s']:.2f} s at {both['relative']:g} and {both['absolute']:g}, error at the end {both['error_end']:.1e}; {peer['error_end']:.1e})",
                     both is not None and both["cpu_s"] <= peer["cpu_s"] / 3.0))
    return rows


def of_fit(result):
    mine, theirs = result["fit"]["toji"], result["fit"]["scipy"]
    ratio = sum(s["cpu_s"] for s in mine) / sum(s["cpu_s"] for s in theirs)
    worse = sum(a["chi2"] > b["chi2"] + 0.01 for a, b in zip(mine, theirs))
    return [("fit of 8 parameters ≤ 1/10 of SciPy's least_squares (TRF), from the same starts", f"{ratio:.3f}×", ratio <= 0.1),
            ("χ² no worse than SciPy's, from every start", f"{len(mine) - worse} of {len(mine)}; best {min(s['chi2'] for s in mine):.3f}, SciPy's best {min(s['chi2'] for s in theirs):.3f}", worse == 0)]


def of_bo(result):
    mine, theirs = result["bo"]["toji"], result["bo"]["botorch"]
    rows = []
    if "step" in theirs:
        ratio = mine["step"]["seconds_median"] / theirs["step"]["seconds_median"]
        rows.append(("step of 24 units, 8 factors, 48 runs ≤ 1/3 of BoTorch's", f"{ratio:.3f}× ({mine['step']['seconds_median']:.2f} s, {theirs['step']['seconds_median']:.2f} s)", ratio <= 1.0 / 3.0))
    for case, limit in (("hartmann", 0.15), ("noisy", 0.30), ("branin", 0.10)):
        name = {"hartmann": "Hartmann6", "noisy": "Hartmann6 with noise 0.2", "branin": "Branin"}[case]
        rows.append((f"{name}: median regret ≤ {limit:.2f}", f"{mine[case]['median']:.3f} over {mine[case]['seeds']} seeds", mine[case]["median"] <= limit))
        if case in theirs:
            rows.append((f"{name}: regret no greater than BoTorch's", f"{mine[case]['median']:.3f}; {theirs[case]['median']:.3f} over {theirs[case]['seeds']} seeds", mine[case]["median"] <= theirs[case]["median"]))
            ratio = mine[case]["seconds_a_round"] / theirs[case]["seconds_a_round"]
            rows.append((f"{name}: a round ≤ 1/3 of BoTorch's", f"{ratio:.3f}×", ratio <= 1.0 / 3.0))
    return rows


def of_nmpc(result):
    mine, theirs = result["nmpc"]["toji"], result["nmpc"]["do-mpc"]
    return [("nominal NMPC step ≤ 20 ms", f"{mine['ms_mean']:.2f} ms; do-mpc {theirs['ms_mean']:.1f} ms", mine["ms_mean"] <= 20.0),
            ("P at the end ≥ 1.675 g/L, X never above 3.7 g/L by more than 1e-4", f"P {mine['P']:.5f}, over by {mine['over']:.1e}; do-mpc {theirs['P']:.5f}, {theirs['over']:.1e}",
             mine["P"] >= 1.675 and mine["over"] <= 1e-4)]


def sim_table(result):
    found = result["sim"]
    rows = [[NAMES[n], "{:g}, {:g}".format(*found["peers_at"]), f"{p['cpu_s']:.2f}", f"{1000 * p['cpu_s'] / found['n']:.3f}", f"{p['error_course']:.1e}", f"{p['error_end']:.1e}",
             f"{p['n']:,}" + (", in proportion" if p["n"] != found["n"] else "")] for n, p in found["peers"].items()]
    rows += [["Toji", n, f"{p['cpu_s']:.2f}", f"{1000 * p['cpu_s'] / found['n']:.3f}", f"{p['error_course']:.1e}", f"{p['error_end']:.1e}", f"{p['n']:,}, {p['steps_mean']:.0f} steps each"]
             for n, p in found["toji"].items()]
    return table(["side", "tolerance, relative and absolute", f"CPU s for {found['n']:,}", "ms each", "error over the course", "error at the end", "simulated"], rows)


def fit_table(result):
    rows = [[str(i + 1), f"{a['cpu_s']:.3f}", f"{a['chi2']:.3f}", f"{b['cpu_s']:.2f}", f"{b['chi2']:.3f}"]
            for i, (a, b) in enumerate(zip(result["fit"]["toji"], result["fit"]["scipy"]))]
    return table(["start", "Toji, CPU s", "χ²", "SciPy, CPU s", "χ²"], rows) + f"\n\nχ² of the truth: {result['fit']['chi2_truth']:.3f}. Both judged by LSODA at 1e-9."


def bo_table(result):
    rows = []
    for side, cases in result["bo"].items():
        for name, c in cases.items():
            if name != "step":
                path = " ".join(f"{v:.2f}" for v in c["median_by_round"])
                rows.append([side, name, str(c["seeds"]), path, f"{c['median']:.3f}", f"{c['worst']:.2f}", f"{c['seconds_a_round']:.3f}"])
    return table(["side", "case", "seeds", "median regret by round", "at the end", "worst", "CPU s a round"], rows)


def markdown(result):
    m = result["machine"]
    goals = []
    for part, of in (("sim", of_sim), ("fit", of_fit), ("bo", of_bo), ("nmpc", of_nmpc)):
        if part in result and part not in result.get("failed", {}):
            goals += of(result)
    peers = ", ".join(f"{n} {v}" for n, v in m["peers"].items())
    parts = ["# Culture models beside their peers",
             f"{result['date']} · {m['cpu']}, {m['cores']} cores, Linux {m['kernel']} · load {m['load_1min']:.1f} → {m['load_1min_end']:.1f} · {m['rustc']} · "
             f"Python {m['python']} · best of {result['rounds']} rounds · {peers}",
             "CPU seconds of one thread. Ratios within one run count; a busy machine slows all sides.",
             "## Goals", table(["goal", "measured", ""], [[g, v, verdict(r)] for g, v, r in goals])]
    for part, title, of in (("sim", "Simulations", sim_table), ("fit", "Fit, start by start", fit_table), ("bo", "Campaigns", bo_table)):
        if part in result and part not in result.get("failed", {}):
            parts += [f"## {title}", of(result)]
    for part, why in result.get("failed", {}).items():
        parts.append(f"**{part} failed**: {why}")
    return "\n\n".join(parts) + "\n"
