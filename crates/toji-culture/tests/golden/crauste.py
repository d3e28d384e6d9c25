"""The log-likelihood of Crauste_CellSystems2017 (PEtab benchmark) at its nominal parameters, by SciPy.

The pathogen of this model nearly explodes (x' = rho x^2), so that loose tolerances show in the third decimal: AMICI keeps
-190.96521897. Run in the folder of the problem; with SciPy 1.17.1 (rtol, atol = 1e-13) this prints
LSODA -190.9639775757207, Radau (1e-10, 1e-12) -190.96397757574263.
"""
import csv

import numpy as np
from scipy.integrate import solve_ivp

read = lambda name: list(csv.DictReader(open(f"{name}_Crauste_CellSystems2017.tsv"), delimiter="\t"))
p = {row["parameterId"]: float(row["nominalValue"]) for row in read("parameters")}


def slopes(_, y):
    n, e, l, m, x = y
    return [
        -p["mu_N"] * n - p["delta_NE"] * n * x,
        p["delta_NE"] * n * x + p["rho_E"] * e * x - p["mu_EE"] * e * e - p["delta_EL"] * e,
        p["delta_EL"] * e - p["mu_LL"] * l * l - p["mu_LE"] * e * l - p["delta_LM"] * l,
        p["delta_LM"] * l,
        p["rho_P"] * x * x - p["mu_PE"] * e * x - p["mu_PL"] * l * x - p["mu_P"] * x,
    ]


names = ["observable_Naive", "observable_EarlyEffector", "observable_LateEffector", "observable_Memory"]
for method, rtol, atol in [("LSODA", 1e-13, 1e-13), ("Radau", 1e-10, 1e-12)]:
    found = solve_ivp(slopes, (0, 28), [8090, 0, 0, 0, 1], method=method, rtol=rtol, atol=atol, dense_output=True)
    total = 0.0
    for row in read("measurementData"):
        y, sigma = found.sol(float(row["time"]))[names.index(row["observableId"])], float(row["noiseParameters"])
        total += -0.5 * np.log(2 * np.pi * sigma**2) - 0.5 * ((float(row["measurement"]) - y) / sigma) ** 2
    print(method, repr(float(total)))
