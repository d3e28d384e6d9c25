"""The report: a table of CPU seconds, ratios to the best peer, goals reached and not reached, answers compared."""

from workload import QUESTIONS, agree

GOALS = {"q1": ("within", 2.0), "q2": ("within", 2.0), "q3": ("ahead", 1.0), "q4": ("within", 2.0), "q5": ("within", 2.0), "q6": ("ahead", 1.0)}
POINTS_PER_CPU_S, BYTES_PER_POINT, MEMORY_BYTES, PARSER_RATIO = 1e6, 4.5, 2**30, 20.0


def ms(value):
    return "–" if value is None else f"{value * 1000:.2f}" if value < 0.1 else f"{value * 1000:.0f}"


def cpu(side, query):
    return side.get("queries", {}).get(query, {}).get("cpu_s")


def disagreements(result):
    """Answers that are not all the same: (question, side, its check, ours)."""
    found = []
    for query in QUESTIONS:
        mine = result["sides"]["toji"]["queries"].get(query, {}).get("check")
        for name, side in result["sides"].items():
            check = side.get("queries", {}).get(query, {}).get("check")
            if check and mine and not agree(check, mine):
                found.append((query, name, check, mine))
    points = {n: s["ingest"]["points"] for n, s in result["sides"].items() if "ingest" in s and n != "sporedb"}
    if len(set(points.values())) > 1:
        found.append(("ingest", "points", points, points.get("toji")))
    return found


def verdict(reached):
    return "reached" if reached else "**NOT REACHED**"


def best_peer(result, query):
    times = {n: cpu(s, query) for n, s in result["sides"].items() if n != "toji" and cpu(s, query) is not None}
    return min(times.items(), key=lambda t: t[1]) if times else (None, None)


def goals(result):
    """Rows of (goal, measured, reached or not)."""
    mine = result["sides"]["toji"]
    points, ingest = mine["ingest"]["points"], mine["ingest"]["cpu_s"]
    rate, size = points / ingest, mine["bytes"] / points
    rows = [("durable ingest ≥ 1,000,000 points per CPU second", f"{rate:,.0f}", rate >= POINTS_PER_CPU_S),
            ("≤ 4.5 bytes per point on disk", f"{size:.2f}", size <= BYTES_PER_POINT),
            ("memory ≤ 1 GiB" + ("" if result["days"] >= 30 else f" (goal is set for 30 days; here {result['days']:g})"),
             f"{mine['rss_bytes'] / 2**20:,.0f} MiB", mine["rss_bytes"] <= MEMORY_BYTES)]
    for query, (kind, limit) in GOALS.items():
        name, theirs = best_peer(result, query)
        if theirs is None:
            continue
        ratio = cpu(mine, query) / theirs
        words = "ahead of every peer" if kind == "ahead" else "within 2× of the best peer"
        rows.append((f"{query.upper()} {words}", f"{ratio:.2f}× the CPU time of {name}", ratio < limit if kind == "ahead" else ratio <= limit))
    ratios = parser_ratios(result)
    if ratios:
        worst = min(ratios, key=lambda r: r[1])
        rows.append(("file parsing ≥ 20× the Python parsers, every file", f"worst {worst[1]:.0f}× ({worst[0]}), best {max(r[1] for r in ratios):,.0f}×", worst[1] >= PARSER_RATIO))
    return rows


def parser_ratios(result):
    return [(p["file"], p["cpu_s"] / max(p["toji"]["cpu_s"], 1e-7)) for p in result.get("parsers", []) if "cpu_s" in p and "cpu_s" in p["toji"]]


def table(head, rows):
    return "\n".join(["| " + " | ".join(r) + " |" for r in [head, ["---"] * len(head), *rows]])


def sides_table(result):
    sides = result["sides"]
    rows = []
    for name, side in sides.items():
        if "failed" in side:
            rows.append([name, "failed", side["failed"][-120:].replace("\n", " ").replace("|", "/")] + [""] * (len(QUESTIONS) + 2))
            continue
        ingest = side["ingest"]
        row = [f"{name} {side['version']}", f"{ingest['points'] / ingest['cpu_s'] / 1e6:.2f}", f"{ingest['cpu_s']:.2f} ({ingest['wall_s']:.1f})"]
        row += [ms(cpu(side, q)) for q in QUESTIONS]
        row += [f"{side['bytes'] / ingest['points']:.2f}", f"{side['rss_bytes'] / 2**20:,.0f}"]
        rows.append(row)
    return table(["side", "ingest, M points per CPU s", "ingest CPU s (wall s)", *[f"{q.upper()} CPU ms" for q in QUESTIONS], "bytes per point", "peak MiB"], rows)


def notes(result):
    lines = []
    for name, side in result["sides"].items():
        lines.append(f"- {name}: {side.get('layout', '')}")
        for query, entry in side.get("queries", {}).items():
            for word in ("not_possible", "failed"):
                if word in entry:
                    lines.append(f"  - {query.upper()} {word.replace('_', ' ')}: {entry[word]}")
    return "\n".join(lines)


def parsers_table(result):
    rows = []
    for p in result.get("parsers", []):
        mine = p["toji"]
        ours = ms(mine["cpu_s"]) if "cpu_s" in mine else "refused: " + mine["refused"][:80]
        theirs = ms(p["cpu_s"]) if "cpu_s" in p else "refused: " + p["refused"][:80].replace("|", "/")
        ratio = f"{p['cpu_s'] / max(mine['cpu_s'], 1e-7):,.0f}×" if "cpu_s" in p and "cpu_s" in mine else "–"
        rows.append([p["file"], f"{p['bytes'] / 1000:,.0f}", f"{p['tool']} {p['version']}", theirs, ours, mine.get("format", "–"), ratio])
    return table(["file", "kB", "parser", "its CPU ms", "ours, CPU ms", "format found", "ratio"], rows)


def markdown(result):
    m = result["machine"]
    ours = result["sides"]["toji"]
    wrong = disagreements(result)
    parts = [
        f"# BF-1, {result['days']:g} days, {ours['ingest']['points']:,} points",
        f"{result['date']} · {m['cpu']}, {m['cores']} cores, {m['memory_gib']} GiB, Linux {m['kernel']} · load {m['load_1min']:.1f} → {m['load_1min_end']:.1f} · "
        f"{m['rustc']} · Python {m['python']} · best of {result['rounds']} rounds",
        "Trust the ratios and the CPU seconds more than the wall times: the machine may have been busy. Queries: best of three warm trials, one process a side.",
        "## Goals",
        table(["goal", "measured", ""], [[g, v, verdict(r)] for g, v, r in goals(result)]),
        "## All sides",
        sides_table(result),
        "\n".join(f"- {q.upper()}: {text}" for q, text in QUESTIONS.items()),
        "## Answers",
        "All sides give the same answers (count and sums)." if not wrong else "**ANSWERS DIFFER**\n\n" + "\n".join(f"- {w}" for w in wrong),
        "## Layouts, and what a peer cannot do",
        notes(result),
    ]
    if "bytes_originals" in ours:
        parts.append(f"Ours keeps beside the series: the files as they came {ours['bytes_originals'] / 1e6:,.1f} MB (inside the ingest time, "
                     f"with their SHA-256 and fsync), the catalogue and ledger {ours['bytes_catalogue'] / 1e6:,.1f} MB.")
    if result.get("parsers"):
        parts += ["## File parsers, CPU per file", parsers_table(result)]
    return "\n\n".join(parts) + "\n"
