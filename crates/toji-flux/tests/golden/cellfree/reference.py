"""Reference for the cascade of glycerol_phosphate.json: SciPy's LSODA and Radau, written independently of Toji.

Dihydroxyacetone phosphate is reduced to glycerol 3-phosphate by NADH, which yeast alcohol dehydrogenase makes ready again
with ethanol. Michaelis, inhibition and equilibrium constants: Teusink et al., Eur. J. Biochem. 267 (2000) 5313-5329 (ADH, and
the glycerol branch G3PDH). Turnover numbers, loadings, inactivation and concentrations are the example's own.

    python3 reference.py > reference.json
"""
import json
import numpy as np
import scipy
from scipy.integrate import solve_ivp

E0 = {"ADH": 0.02 / 36800 * 1e3, "GPDH": 0.01 / 42900 * 1e3}  # mmol/L
KD = {"ADH": 0.05, "GPDH": 0.02}  # 1/h
KCAT = {"ADH": 340 * 3600.0, "GPDH": 250 * 3600.0}  # 1/h


def rates(t, y):
    dhap, g3p, etoh, acald, nad, nadh = y
    v_adh = KCAT["ADH"] * E0["ADH"] * np.exp(-KD["ADH"] * t)
    v_gpd = KCAT["GPDH"] * E0["GPDH"] * np.exp(-KD["GPDH"] * t)
    ka, kb, kp, kq = 0.17, 17.0, 1.11, 0.11
    ia, ib, ip, iq = 0.92, 90.0, 1.1, 0.031
    below = (1 + nad / ia + ka * etoh / (ia * kb) + kq * acald / (iq * kp) + nadh / iq + nad * etoh / (ia * kb)
             + kq * nad * acald / (ia * iq * kp) + ka * etoh * nadh / (ia * kb * iq) + nadh * acald / (iq * kp)
             + nad * etoh * acald / (ia * kb * ip) + etoh * nadh * acald / (ib * iq * kp))
    r1 = v_adh / (ia * kb) * (nad * etoh - nadh * acald / 6.9e-5) / below
    r2 = v_gpd / (0.4 * 0.023) * (dhap * nadh - g3p * nad / 4300) / ((1 + dhap / 0.4 + g3p / 1.0) * (1 + nadh / 0.023 + nad / 0.93))
    return [-r2, r2, -r1, r1, r2 - r1, r1 - r2]


times = [0.25, 0.5, 1.0, 2.0, 4.0, 8.0, 16.0]
y0 = [20.0, 0.0, 500.0, 0.0, 0.5, 0.0]
runs = {m: solve_ivp(rates, (0, 16), y0, method=m, t_eval=times, rtol=1e-12, atol=1e-14) for m in ("LSODA", "Radau")}
spread = float(np.max(np.abs(runs["LSODA"].y - runs["Radau"].y)))
names = ["dhap", "g3p", "etoh", "acald", "nad", "nadh"]
print(json.dumps({"tool": f"SciPy {scipy.__version__}, solve_ivp Radau, rtol 1e-12, atol 1e-14", "spread": spread, "times": times,
                  "concentrations": {n: [float(v) for v in row] for n, row in zip(names, runs["Radau"].y)}}, indent=1))
