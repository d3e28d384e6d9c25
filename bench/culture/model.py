"""The fed-batch culture of the benchmark, stated once: an *E. coli*-like culture with overflow, oxygen transfer, an
exponential feed, three boluses and an induction. From the strings below come the right-hand side for Python (compiled by
numba), for C and an SBML file; `fed-batch.toml` says the same to Toji, and the answers are compared.

Time in h, concentrations in g/L, dissolved oxygen O in mg/L, total carbon dioxide evolved C in g, volume V in L.
"""

import ast

STATES = ["X", "S", "A", "N", "P", "O", "C", "V"]
INITIAL = {"X": 0.3, "S": 10.0, "A": 0.0, "N": 2.0, "P": 0.0, "O": 10.0, "C": 0.0, "V": 1.0}

# What differs from simulation to simulation (log-uniform, ± 20 %); X_0 is X at the start.
PARAMETERS = {"q_max": 1.3, "K_S": 0.05, "Y_XS": 0.5, "q_c": 0.7, "kLa": 250.0, "S_feed": 500.0, "mu_set": 0.15, "X_0": 0.3}
CONSTANTS = {
    "K_O": 0.1, "K_IA": 8.0, "K_N": 0.02, "K_A": 0.4, "q_Amax": 0.25, "f_ov": 0.35, "Y_XA": 0.3, "m_S": 0.04,
    "Y_AS": 0.66, "Y_NX": 0.12, "alpha": 0.08, "beta": 0.012, "burden": 0.25, "Y_OS": 400.0, "Y_OA": 900.0, "Y_CS": 0.55,
    "Y_CA": 1.2, "O_sat": 10.0, "F_0": 0.002, "t_feed": 8.0, "t_cap": 20.0, "N_feed": 25.0,
    "v_bolus": 0.02, "S_bolus": 250.0, "N_bolus": 30.0,
}
# Set by the phases: is there a feed, does it grow, is production induced.
PHASES = ["fed", "growing", "induced"]

# In this order; `t` is time.
DEFINED = [
    ("oxygen", "O / (K_O + O)"),
    ("sugar", "S / (K_S + S)"),
    ("q_S", "q_max * sugar * oxygen / (1 + A / K_IA)"),
    ("ratio", "q_S / q_c"),
    ("high", "(ratio * ratio) * (ratio * ratio)"),
    ("spill", "f_ov * q_S * high / (1 + high)"),
    ("q_A", "q_Amax * A / (K_A + A) * oxygen / (1 + high)"),
    ("mu", "(Y_XS * (q_S - spill - m_S * sugar * oxygen) + Y_XA * q_A) * N / (K_N + N) * (1 - burden * induced)"),
    ("q_P", "induced * (alpha * mu + beta * sugar * oxygen)"),
    ("q_O", "Y_OS * (q_S - spill) + Y_OA * q_A"),
    ("F", "fed * F_0 * exp(mu_set * (growing * (t - t_feed) + (1 - growing) * (t_cap - t_feed)))"),
    ("D", "F / V"),
]
RATES = [
    ("X", "(mu - D) * X"),
    ("S", "D * (S_feed - S) - q_S * X"),
    ("A", "(Y_AS * spill - q_A) * X - D * A"),
    ("N", "D * (N_feed - N) - Y_NX * mu * X"),
    ("P", "q_P * X - D * P"),
    ("O", "kLa * (O_sat - O) - q_O * X - D * O"),
    ("C", "(Y_CS * (q_S - spill) + Y_CA * q_A) * X * V"),
    ("V", "F"),
]
# A bolus, all at once: what each state becomes.
BOLUS = {
    **{s: f"{s} * V / (V + v_bolus)" for s in ["X", "A", "P", "O"]},
    "S": "(S * V + S_bolus * v_bolus) / (V + v_bolus)",
    "N": "(N * V + N_bolus * v_bolus) / (V + v_bolus)",
    "V": "V + v_bolus",
}
END, OUTPUTS = 30.0, 61
# Instants, and what happens at them.
EVENTS = [(6.0, "bolus"), (8.0, "fed"), (12.0, "bolus"), (14.0, "induced"), (18.0, "bolus"), (20.0, "capped")]


def segments():
    """Pieces of the way: (from, to, (fed, growing, induced), a bolus at the beginning?)."""
    fed, growing, induced = 0.0, 1.0, 0.0
    found, start, bolus = [], 0.0, False
    for at, what in [*EVENTS, (END, "end")]:
        found.append((start, at, (fed, growing, induced), bolus))
        fed = 1.0 if what == "fed" else fed
        induced = 1.0 if what == "induced" else induced
        growing = 0.0 if what == "capped" else growing
        start, bolus = at, what == "bolus"
    return found


def python(varying=tuple(PARAMETERS)):
    """`rates(t, y, p, phase)` and `bolus(y)` as plain functions that numba compiles; p in this order."""
    lines = ["def rates(t, y, p, phase):"]
    lines += [f"    {s} = y[{i}]" for i, s in enumerate(STATES)]
    lines += [f"    {n} = p[{i}]" for i, n in enumerate(varying)]
    lines += [f"    {n} = phase[{i}]" for i, n in enumerate(PHASES)]
    lines += [f"    {n} = {v!r}" for n, v in {**CONSTANTS, **PARAMETERS}.items() if n not in varying]
    lines += [f"    {n} = {e}" for n, e in DEFINED]
    lines += ["    d = np.empty(8)"] + [f"    d[{STATES.index(s)}] = {e}" for s, e in RATES] + ["    return d", ""]
    lines += ["def bolus(y):"] + [f"    {s} = y[{i}]" for i, s in enumerate(STATES)]
    lines += [f"    {n} = {v!r}" for n, v in CONSTANTS.items()]
    lines += [f"    return np.array([{', '.join(BOLUS.get(s, s) for s in STATES)}])", ""]
    return "\n".join(lines)


def c():
    """The same as C, included by cvode.c."""
    pieces = segments()
    row = "{{{}}}".format
    starts = row(", ".join(repr(p[0]) for p in pieces) + f", {END!r}")
    phases = row(", ".join(row(", ".join(map(repr, p[2]))) for p in pieces))
    table = [f"#define SEGMENTS {len(pieces)}", f"#define OUTPUTS {OUTPUTS}", f"#define END {END!r}",
             f"static const double INITIAL[8] = {row(', '.join(repr(INITIAL[s]) for s in STATES))};",
             f"static const double START[] = {starts};", f"static const double PHASE[][3] = {phases};",
             f"static const int ADDED[] = {row(', '.join(str(int(p[3])) for p in pieces))};"]
    return "\n".join(table + braces("static void rates(double t, const double *y, const double *p, const double *phase, double *d) {",
                                    "static void bolus(double *y) {", "const double {} = {};")) + "\n"


def rust():
    """The same as Rust, generic in the number, included by diffsol/src/main.rs."""
    pieces = segments()
    starts = [p[0] for p in pieces] + [END]
    head = [f"pub const OUTPUTS: usize = {OUTPUTS};", f"pub const END: f64 = {END!r};", f"pub const INITIAL: [f64; 8] = {[INITIAL[s] for s in STATES]};",
            f"pub const START: [f64; {len(starts)}] = {starts};", f"pub const PHASE: [[f64; 3]; {len(pieces)}] = {[list(p[2]) for p in pieces]};",
            f"pub const ADDED: [bool; {len(pieces)}] = {str([p[3] for p in pieces]).lower()};"]

    def generic(expression):
        class Of(ast.NodeTransformer):
            def visit_Constant(self, node):
                return ast.Name(id=f"F::of({float(node.value)!r})")

            def visit_Call(self, node):
                return ast.Name(id=f"({generic(ast.unparse(node.args[0]))}).exp()")

        return ast.unparse(Of().visit(ast.parse(expression, mode="eval")))

    # Upper-case names of the model stand as they are in the paper's notation.
    lines = ["#[allow(non_snake_case, unused_variables)]",
             "pub fn rates<F: super::Number>(t: f64, y: &[F], p: &[f64], phase: &[f64], d: &mut [F]) {", "    let t = F::of(t);"]
    lines += [f"    let {s} = y[{i}];" for i, s in enumerate(STATES)]
    lines += [f"    let {n} = F::of(p[{i}]);" for i, n in enumerate(PARAMETERS)]
    lines += [f"    let {n} = F::of(phase[{i}]);" for i, n in enumerate(PHASES)]
    lines += [f"    let {n} = F::of({float(v)!r});" for n, v in CONSTANTS.items()]
    lines += [f"    let {n} = {generic(e)};" for n, e in DEFINED]
    lines += [f"    d[{STATES.index(s)}] = {generic(e)};" for s, e in RATES] + ["}"]
    lines += ["#[allow(non_snake_case, unused_variables)]", "pub fn bolus(y: &mut [f64; 8]) {"]
    lines += [f"    let {s} = y[{i}];" for i, s in enumerate(STATES)] + [f"    let {n} = {float(v)!r};" for n, v in CONSTANTS.items()]
    return "\n".join([*head, *lines, *[f"    y[{STATES.index(s)}] = {e};" for s, e in BOLUS.items()], "}", ""])


def braces(head, bolus, assign):
    def say(name, value):
        return "    " + assign.format(name, floats(value) if isinstance(value, str) else repr(float(value)))

    state = [say(s, f"y[{i}]") for i, s in enumerate(STATES)]
    constants = [say(n, v) for n, v in CONSTANTS.items()]
    lines = [head, *state, *[say(n, f"p[{i}]") for i, n in enumerate(PARAMETERS)],
             *[say(n, f"phase[{i}]") for i, n in enumerate(PHASES)], *constants, *[say(n, e) for n, e in DEFINED]]
    lines += [f"    d[{STATES.index(s)}] = {floats(e)};" for s, e in RATES] + ["}", bolus, *state, *constants]
    return lines + [f"    y[{STATES.index(s)}] = {e};" for s, e in BOLUS.items()] + ["}", ""]


def floats(expression):
    """Whole numbers as decimals, outside of brackets."""
    tree = ast.parse(expression, mode="eval")
    for node in ast.walk(tree):
        if isinstance(node, ast.Subscript):
            return expression
        if isinstance(node, ast.Constant):
            node.value = float(node.value)
    return ast.unparse(tree)


MATHML = {ast.Add: "plus", ast.Sub: "minus", ast.Mult: "times", ast.Div: "divide", ast.USub: "minus"}


def mathml(expression):
    def walk(node):
        match node:
            case ast.BinOp(left=a, op=op, right=b):
                return f"<apply><{MATHML[type(op)]}/>{walk(a)}{walk(b)}</apply>"
            case ast.Call(func=ast.Name(id="exp"), args=[a]):
                return f"<apply><exp/>{walk(a)}</apply>"
            case ast.Name(id="t"):
                return '<csymbol encoding="text" definitionURL="http://www.sbml.org/sbml/symbols/time">t</csymbol>'
            case ast.Name(id=name):
                return f"<ci>{name}</ci>"
            case ast.Constant(value=value):
                return f"<cn>{float(value)!r}</cn>"
        raise ValueError(ast.dump(node))

    return f'<math xmlns="http://www.w3.org/1998/Math/MathML">{walk(ast.parse(expression, mode="eval").body)}</math>'


def sbml():
    """SBML level 3: rate rules, assignment rules and events. Phases are parameters that events set, so that a solver
    is started again at each instant."""
    varying = [f'<parameter id="{s}" value="{INITIAL[s]!r}" constant="false"/>' for s in STATES]
    varying += [f'<parameter id="{n}" value="{v}" constant="false"/>' for n, v in zip(PHASES, (0.0, 1.0, 0.0))]
    varying += [f'<parameter id="{n}" constant="false"/>' for n, _ in DEFINED]
    fixed = [f'<parameter id="{n}" value="{v!r}" constant="true"/>' for n, v in {**CONSTANTS, **PARAMETERS}.items() if n != "X_0"]
    rules = [f'<assignmentRule variable="{n}">{mathml(e)}</assignmentRule>' for n, e in DEFINED]
    rules += [f'<rateRule variable="{s}">{mathml(e)}</rateRule>' for s, e in RATES]
    sets = {"bolus": BOLUS, "fed": {"fed": "1"}, "induced": {"induced": "1"}, "capped": {"growing": "0"}}
    events = []
    for i, (at, what) in enumerate(EVENTS):
        trigger = mathml(f"t + {at!r}").replace("<plus/>", "<geq/>")
        assigned = "".join(f'<eventAssignment variable="{s}">{mathml(e)}</eventAssignment>' for s, e in sets[what].items())
        events.append(f'<event id="e{i}" useValuesFromTriggerTime="true"><trigger initialValue="false" persistent="true">{trigger}'
                      f"</trigger><listOfEventAssignments>{assigned}</listOfEventAssignments></event>")
    return ('<?xml version="1.0" encoding="UTF-8"?><sbml xmlns="http://www.sbml.org/sbml/level3/version1/core" level="3" version="1">'
            f'<model id="fed_batch"><listOfParameters>{"".join(varying + fixed)}</listOfParameters>'
            f'<listOfRules>{"".join(rules)}</listOfRules><listOfEvents>{"".join(events)}</listOfEvents></model></sbml>')
