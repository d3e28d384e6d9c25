"""Random linear programmes solved by HiGHS, the reference of tests/it/golden_lp.rs.

Usage: python lp.py OUT.json [SEED [COUNT]]     (needs highspy; the version used is written into the file)

Each case: columns [[row, value, row, value, ...], ...], bounds and row sides (null: infinite), cost, sense, and what HiGHS
says of it, then of the same problem with another objective, and with bounds of one variable changed after that.
HiGHS: Huangfu and Hall, Math. Program. Comput. 10 (2018) 119-142, MIT licence.
"""
import json, random, sys
import highspy
import numpy as np

INF = highspy.kHighsInf


def solve(case, cost, sense, lower, upper):
    answers = []
    for presolve in ("on", "off"):
        h = highspy.Highs()
        h.setOptionValue("output_flag", False)
        h.setOptionValue("presolve", presolve)
        h.setOptionValue("primal_feasibility_tolerance", 1e-9)
        h.setOptionValue("dual_feasibility_tolerance", 1e-9)
        n, m = len(case["columns"]), len(case["row_lower"])
        lp = highspy.HighsLp()
        lp.num_col_, lp.num_row_ = n, m
        lp.col_cost_ = np.array(cost, dtype=float)
        lp.col_lower_ = np.array([-INF if v is None else v for v in lower])
        lp.col_upper_ = np.array([INF if v is None else v for v in upper])
        lp.row_lower_ = np.array([-INF if v is None else v for v in case["row_lower"]])
        lp.row_upper_ = np.array([INF if v is None else v for v in case["row_upper"]])
        lp.a_matrix_.format_ = highspy.MatrixFormat.kColwise
        starts, idx, val = [0], [], []
        for c in case["columns"]:
            idx += c[0::2]
            val += c[1::2]
            starts.append(len(idx))
        lp.a_matrix_.start_, lp.a_matrix_.index_, lp.a_matrix_.value_ = np.array(starts), np.array(idx), np.array(val, dtype=float)
        lp.sense_ = highspy.ObjSense.kMaximize if sense == "maximize" else highspy.ObjSense.kMinimize
        h.passModel(lp)
        h.run()
        status = h.getModelStatus()
        S = highspy.HighsModelStatus
        if status == S.kOptimal:
            answers.append(["optimal", h.getObjectiveValue()])
        elif status == S.kInfeasible:
            answers.append(["infeasible"])
        elif status == S.kUnbounded:
            answers.append(["unbounded"])
        else:
            answers.append(["unclear"])
    a, b = answers
    if a == ["unclear"]:
        return b if b != ["unclear"] else None
    if b == ["unclear"]:
        return a
    if a[0] != b[0] or (a[0] == "optimal" and abs(a[1] - b[1]) > 1e-7 * (1 + abs(a[1]))):
        return None
    return a


def make(rng, shape):
    m, n = rng.randint(2, 26), rng.randint(3, 44)
    if rng.random() < 0.15:
        m, n = rng.randint(40, 70), rng.randint(70, 120)
    columns = []
    for _ in range(n):
        rows = rng.sample(range(m), min(m, rng.choice([1, 1, 2, 2, 2, 3, 4])))
        entry = []
        for r in rows:
            if shape in ("network", "degenerate"):
                v = rng.choice([-2, -1, -1, -1, 1, 1, 1, 2])
            elif shape == "badly-scaled":
                v = rng.choice([-1, 1]) * float(f"{10 ** rng.uniform(-5, 5):.3g}")
            else:
                v = rng.choice([-1, 1]) * round(rng.uniform(0.1, 9), 2)
            entry += [r, v]
        columns.append(entry)
    if shape in ("network", "badly-scaled"):
        for r in range(m):
            if rng.random() < 0.3:
                columns.append([r, rng.choice([-1, 1])])
        if rng.random() < 0.7:
            rows = rng.sample(range(m), min(m, 8))
            columns.append([x for r in rows for x in (r, -float(f"{10 ** rng.uniform(-5, 1):.3g}"))])
    n = len(columns)
    lower, upper = [], []
    for _ in range(n):
        k = rng.random()
        if shape == "unbounded":
            l, u = rng.choice([(0, None), (None, None), (0, 10), (None, 5)])
        elif shape == "degenerate":
            l, u = rng.choice([(0, 1), (-1, 1), (0, 0), (0, 1000), (-1000, 1000)])
        elif k < 0.5:
            l, u = 0, 1000
        elif k < 0.85:
            l, u = -1000, 1000
        elif k < 0.9:
            l, u = 0, None
        else:
            l, u = sorted((rng.randint(-10, 10), rng.randint(-10, 10)))
        if shape == "infeasible" and rng.random() < 0.25:
            l = u = rng.randint(1, 9)
        lower.append(l)
        upper.append(u)
    row_lower, row_upper = [0] * m, [0] * m
    if shape in ("general", "unbounded", "infeasible"):
        for r in range(m):
            row_lower[r], row_upper[r] = rng.choice([(0, 0), (None, 7), (-3, None), (-2, 5), (1, 1)])
    cost = [rng.choice([0, 0, 0, 1, -1, round(rng.uniform(-5, 5), 2)]) for _ in range(n)]
    second = [0] * n
    second[rng.randrange(n)] = 1
    which = rng.randrange(n)
    return dict(shape=shape, columns=columns, lower=lower, upper=upper, row_lower=row_lower, row_upper=row_upper, cost=cost,
                sense=rng.choice(["maximize", "minimize"]), second=second.index(1), changed=[which, 0, 0] if rng.random() < 0.6 else [which, -1, 2])


def main():
    rng = random.Random(int(sys.argv[2]) if len(sys.argv) > 2 else 2026)
    count = int(sys.argv[3]) if len(sys.argv) > 3 else 420
    cases, shapes = [], ["network", "network", "degenerate", "badly-scaled", "general", "infeasible", "unbounded"]
    while len(cases) < count:
        case = make(rng, shapes[len(cases) % len(shapes)])
        unit = [0] * len(case["lower"])
        unit[case["second"]] = 1
        lower, upper = list(case["lower"]), list(case["upper"])
        which, l, u = case["changed"]
        lower[which], upper[which] = l, u
        answers = [
            solve(case, case["cost"], case["sense"], case["lower"], case["upper"]),
            solve(case, unit, "maximize", case["lower"], case["upper"]),
            solve(case, unit, "maximize", lower, upper),
        ]
        if all(answers):
            case["answers"] = answers
            cases.append(case)
    h = highspy.Highs()
    out = open(sys.argv[1], "w")
    out.write('{"source":"HiGHS %s by highspy, tolerances 1e-9, presolve on and off agreeing","cases":[\n' % h.version())
    out.write(",\n".join(json.dumps(c, separators=(",", ":")) for c in cases))
    out.write("\n]}\n")


main()
