"""Shipped models beside SciPy: the published equations written again, as concentrations, without the model files.

With SciPy 1.17.1 and NumPy as it comes with it this writes models.json (LSODA for the smooth, Radau for the stiff, rtol
1e-10). Run: python models.py > models.json
"""
import json
import math

import numpy as np
import scipy
from scipy.integrate import solve_ivp


def pieces(slopes, y, edges, at, change=None, method="LSODA"):
    """Integrates from edge to edge; change(i, y) at the start of each piece; values at the times asked for."""
    found = {}
    for i, (a, b) in enumerate(zip(edges, edges[1:])):
        y = change(i, list(y)) if change else y
        here = [t for t in at if a <= t <= b]
        s = solve_ivp(lambda t, y: slopes(t, y, i), (a, b), y, method=method, rtol=1e-10, atol=1e-13, t_eval=sorted({*here, b}))
        assert s.success, s.message
        for t, v in zip(s.t, s.y.T):
            if t in here and t not in found:
                found[t] = v
        y = s.y[:, -1]
    return [found[t].tolist() for t in at]


def anane():
    """Anane et al. 2017, the equations and values of the authors' script; oxygen in per cent."""
    kap, ksa, ko, ks, kia, kis = 0.5088, 0.0128, 0.0001, 0.0381, 1.2602, 1.8383
    pamax, qamax, qm, qsmax = 0.2286, 0.1148, 0.0133, 0.635
    yas, yoa, yxa, yem, yos, yxsof = 0.8938, 0.5221, 0.5794, 0.5321, 1.5722, 0.229
    cs, cx, henry, si, star = 0.391, 0.488, 14000, 300, 99
    edges = [0, 11.4469, 14.3417, 16.3028, 20.5833, 32]

    def slopes(t, y, i):
        v, x, s, a, dot, probe = y
        s, a, dot = max(s, 0), max(a, 0), max(dot, 0)
        f = [0, 0.0087 * math.exp(0.222 * (t - edges[1])), 0.0087 * math.exp(0.222 * (t - edges[1]))]
        f = f[i] if i < 3 else 0.5 * 0.0087 * math.exp(0.222 * (edges[3] - edges[1]))
        qs = qsmax / (1 + a / kia) * s / (s + ks)
        of = pamax * qs / (qs + kap)
        ox = (qs - of) * dot / (dot + ko)
        an = (ox - qm) * yem * cx / cs
        sa = qamax / (1 + qs / kis) * a / (a + ksa)
        mu = (ox - qm) * yem + sa * yxa + of * yxsof
        qo = yos * (ox - an) + sa * yoa
        kla = 220 if i < 2 else 355
        # The publication leaves the dilution of oxygen out; the model file, which counts amounts, has it.
        return [f, x * (mu - f / v), f / v * (si - s) - qs * x, (of * yas - sa) * x - f / v * a,
                kla * (star - dot) - qo * x * henry - f / v * dot, 3600 / 35 * (dot - probe)]

    def change(i, y):
        if i == 4:  # a pulse of feed solution that brings 1 g/L
            v, s = y[0], y[2]
            added = v * 1.0 / (si - s - 1.0)
            share = v / (v + added)
            y = [v + added, y[1] * share, (v * s + added * si) / (v + added), y[3] * share, y[4] * share, y[5]]
        return y

    at = [5, 9, 11, 14, 16, 20, 20.65, 22, 32]
    values = pieces(slopes, [2, 0.17, 4.94, 0.0129, 98, 98], edges, at, change)
    return {"at": at, "names": ["V", "X", "S", "A", "DOT", "DOT_probe"], "values": values}


def bajpai():
    """Bajpai and Reuss 1980, as stated by Banga et al. 2005."""
    edges = [0, 3, 6, 9, 12, 15, 18, 21, 24, 27, 30, 45, 60, 80, 100, 132]
    u = [39.73, 7.112, 8.054, 7.822, 19.956, 21.175, 25.406, 43.925, 5.166, 4.885, 10.01, 9.15, 8.932, 9.228, 9.3658]

    def slopes(t, y, i):
        x, p, s, v = y
        s = max(s, 0)
        h1, h2 = 0.11 * s / (0.006 * x + s), 0.0055 * s / (0.0001 + s * (1 + 10 * s))
        return [h1 * x - u[i] * x / 500 / v, h2 * x - 0.01 * p - u[i] * p / 500 / v,
                -h1 * x / 0.47 - h2 * x / 1.2 - x * 0.029 * s / (0.0001 + s) + u[i] / v * (1 - s / 500), u[i] / 500]

    at = [6, 24, 50, 90, 132]
    return {"at": at, "names": ["X", "P", "S", "V"], "values": pieces(slopes, [1.5, 0, 0, 7], edges, at, method="Radau")}


def birol():
    """Birol et al. 2002 at constant temperature and pH."""
    t_k, h_ion, r = 298.0, 1e-5, 1.987
    f = (7e3 * math.exp(-5100 / (r * t_k)) - 1e33 * math.exp(-50000 / (r * t_k))) / (1 + 1e-10 / h_ion + h_ion / 7e-5)

    def slopes(t, y, feed):
        x, s, p, c, v, co2 = y
        s, c = max(s, 0), max(c, 0)
        loss = v * 2.5e-4 * (math.exp(5 * (t_k - 273) / 100) - 1)
        dv = feed - loss
        mu = 0.092 * f * s / (0.15 * x + s) * c / (0.02 * x + c)
        qp = 0.005 * s / (0.0002 + s + s * s / 0.1) * c**3 / (5e-4 * x + c**3)
        kla = 70 * math.sqrt(8.6) * (29.9 / v) ** 0.4
        dx = mu * x - x * dv / v
        return [dx, -mu * x / 0.45 - qp * x / 0.9 - 0.014 * x + feed * 600 / v - s * dv / v,
                qp * x - 0.04 * p - p * dv / v, -mu * x / 0.04 - qp * x / 0.2 - 0.467 * x + kla * (1.16 - c) - c * dv / v,
                dv, 0.143 * dx + 4e-7 * x + 1e-4]

    low = lambda t, y: y[1] - 0.3
    low.terminal = True
    options = dict(method="Radau", rtol=1e-10, atol=1e-13)
    first = solve_ivp(lambda t, y: slopes(t, y, 0.0), (0, 100), [0.1, 15, 0, 1.16, 100, 0.5], events=low, dense_output=True, **options)
    switch = float(first.t_events[0][0])
    at = [20, 40, 60, 120, 240, 400]
    second = solve_ivp(lambda t, y: slopes(t, y, 0.042), (switch, 400), first.y_events[0][0], dense_output=True, **options)
    values = [(first if t < switch else second).sol(t).tolist() for t in at]
    return {"switch": switch, "at": at, "names": ["X", "S", "P", "C_L", "V", "CO2"], "values": values}


def knallgas(shares):
    """Heinzle and Lafferty 1980 with Ishizaki's stoichiometry; moles in litres and hours, bar."""
    t_k, rt = 303.15, 8.314462618e-2 * 303.15  # L bar/mol
    weights = {"C": 12.011, "H": 1.008, "O": 15.999, "N": 14.007}
    mass = lambda c, h, o, n=0: c * weights["C"] + h * weights["H"] + o * weights["O"] + n * weights["N"]
    c, h, o, n = 3.661, 6.486, 1.675, 0.76
    m_r, m_p, y_pr = mass(c, h, o, n), mass(4, 6, 2), 0.105
    henry = [a * math.exp(b * (1 / t_k - 1 / 298.15)) * 1e5 for a, b in [(7.8e-6, 530), (1.3e-5, 1500), (3.4e-4, 2300)]]
    kla = [300 * math.sqrt(d / 2.10) for d in [4.50, 2.10, 1.92]]
    h2 = 21.36 / 97.195 * (1 + y_pr)
    # One gram of residual biomass: the electrons of hydrogen that do not stay in cells and PHB end in oxygen.
    kept = (4 * c + h - 2 * o - 3 * n) / m_r + y_pr / m_p * (4 * 4 + 6 - 2 * 2)
    growth = np.array([h2, (2 * h2 - kept) / 4, c / m_r + 4 * y_pr / m_p]) * 1e3
    storage, use = np.array([33, 12, 4]) / m_p * 1e3, np.array([0, 4.5, -4]) / m_p * 1e3
    fed = np.array([*shares, 1 - sum(shares)])
    p_w, p_set, v_gas, v = 0.04247, 1.01325, 1.0, 2.0
    n0 = (p_set - p_w) * v_gas / rt

    def slopes(t, y, i):
        r, p, nh, dissolved, gas = y[0], y[1], y[2], y[3:6], y[6:10]
        total = gas.sum()
        share, dry = gas / total, total * rt / v_gas
        out = 1000 * max(dry + p_w - p_set, 0)  # mol/(h bar)
        transfer = np.array(kla) * (np.array(henry) * share[:3] * dry - dissolved)
        s = max(nh, 0) / 2 * 132.14e-3
        d = np.maximum(dissolved, 0)
        half = np.array([0.01, 0.005, 0.02])
        monod = d / (half + d)
        mu = (0.13 * s / (0.1 + s) + 0.08 * s**4 / (1 + s**4)) * monod.prod()
        slow = 0.036 / (0.036 + s)
        made, stored, used = mu * r, 0.18 * r * slow * monod.prod(), 0.045 * p * slow * monod[1]
        uptake = made * growth + stored * storage + used * use
        return np.concatenate([[made, y_pr * made + stored - used, -made * n / m_r * 1e3], transfer - uptake,
                               fed * 1.0 - out * share - np.append(transfer * v * 1e-3, 0)])

    start = [0.22, 0.22, 2 * 2.3 / 132.14 * 1e3, *(np.array(henry) * fed[:3] * (p_set - p_w)), *(n0 * fed)]
    at = [5, 12, 20, 30, 60]
    values = pieces(slopes, start, [0, 60], at, method="Radau")
    return {"at": at, "names": ["R", "P", "N", "H2", "O2", "CO2", "n_H2", "n_O2", "n_CO2", "n_N2"], "values": values}


# Temperature (°C), alcohol (%vol), degrees Baumé or sake meter value by day from the last addition: moromi_progress.yaml
# of github.com/yoshida-eth0/ruby-toji (commit ce08df21e9a6), Copyright (c) 2019 yoshida, MIT licence.
CELSIUS = [8.0, 9.1, 10.4, 11.9, 12.3, 13.1, 13.1, 12.9, 12.8, 12.9, 12.6, 12.0, 11.2, 10.2, 9.7, 9.8, 9.1, 8.4, 8.1, 8.3, 8.1]
ALCOHOL = {4: 4.8, 5: 6.75, 6: 7.992, 8: 10.7, 9: 11.6, 10: 12.7, 11: 13.7, 15: 16.0, 17: 16.3}
BAUME = {3: 8.6, 4: 8.0, 5: 7.2, 6: 5.8, 7: 4.8, 8: 4.0, 9: 3.4}
METER = {10: -27, 11: -21, 12: -17, 13: -13, 15: -8, 16: -5, 17: -3, 18: -2, 19: 0}


def sake():
    """Dissolution, saccharification and fermentation at the recorded temperatures; hours inside."""
    m_x, m_g, m_s, m_e = 24.6263, 180.156, 162.141, 46.069
    speed = lambda e, t, reference: math.exp(-e / 1.987 * (1 / t - 1 / reference))

    def slopes(t, y, i):
        s, d, g, p, x = y
        k = 273.15 + CELSIUS[i] + (CELSIUS[i + 1] - CELSIUS[i]) * (t / 24 - i)
        g = max(g, 0)
        nu = speed(11e3, k, 303.15) * math.exp(-0.015 * p) * g / (0.44 + g)
        mu = 0.408 * speed(18e3, k, 303.15) * math.exp(-0.028 * p) * g / (0.22 + g) * max(1 - x / 5.3, 0)
        a, b = 0.187 / 24 * speed(18e3, k, 288.15) * s, 0.2 / 24 * speed(18e3, k, 288.15) * d
        return [-a, a - b, b * m_g / m_s - nu * x * m_g / (2 * m_e) - mu * x * m_g / (6 * m_x), nu * x, mu * x]

    at = [24 * d for d in range(21)]
    values = pieces(slopes, [128, 129, 30, 8, 0.32], at, at)
    meter = {**{d: -10 * b for d, b in BAUME.items()}, **METER}
    return {"at": list(range(21)), "names": ["S", "D", "G", "P", "X"], "values": values,
            "alcohol": [[d, v] for d, v in ALCOHOL.items()], "meter": [[d, v] for d, v in sorted(meter.items())],
            "note": "alcohol and meter: moromi_progress.yaml of ruby-toji, Copyright (c) 2019 yoshida, MIT licence"}


def water_and_alcohol():
    """Specific gravity 15/15 of water with alcohol by volume, OIML R 22 (1975): at 15 °C from the general formula."""
    a = [998.20123, -192.9769495, 389.1238958, -1668.103923, 13522.15441, -88292.78388, 306287.4042, -613838.1234,
         747017.2998, -547846.1354, 223446.0334, -39032.85426]
    b = [-0.20618513, -5.2682542e-3, 3.6130013e-5, -3.8957702e-7, 7.169354e-9, -9.9739231e-11]
    c = [[0.1693443461530087, -10.46914743455169, 71.96353469546523, -704.7478054272792, 3924.090430035045,
          -12101.64659068747, 22486.46550400788, -26055.62982188164, 18523.73922069467, -7420.201433430137, 1285.617841998974],
         [-0.0119301300505701, 0.2517399633803461, -2.170575700536993, 13.53034988843029, -50.29988758547014,
          109.635566657757, -142.2753946421155, 108.043594285623, -44.14153236817392, 7.442971530188783],
         [-6.802995733503803e-4, 1.876837790289664e-2, -0.2002561813734156, 1.02299296671922, -2.895696483903638,
          4.810060584300675, -4.672147440794683, 2.458043105903461, -0.5411227621436812],
         [4.075376675622027e-6, -8.76305857347111e-6, 6.515031360099368e-6, -1.51578483698721e-6],
         [-2.788074354782409e-8, 1.345612883493354e-8]]
    rho = lambda p: (sum(x * p**k for k, x in enumerate(a)) + sum(x * (-5.0) ** (k + 1) for k, x in enumerate(b))
                     + sum(x * p ** (k + 1) * (-5.0) ** (i + 1) for i, row in enumerate(c) for k, x in enumerate(row)))
    p = np.linspace(0, 0.25, 5001)
    volume = p * rho(p) / rho(1.0) * 100
    return [[v, float(np.interp(v, volume, rho(p) / rho(0.0)))] for v in [2.0, 5.0, 8.0, 12.0, 15.0, 18.0, 20.0]]


def water_and_sugar():
    """Sake meter value of water with sucrose (g in 100 mL at 15 °C): density by ICUMSA SPS-4 with its terms of temperature
    over water at 4 °C (0.999972 kg/L); water by Kell 1975."""
    c = [[385.1761, 135.3705, 40.9299, -3.9643, 13.4853, -17.2890], [-46.2720, -7.1720, 1.1597, 5.1126, 17.5254],
         [59.7712, 7.2491, 12.3630, -35.4791], [-47.2207, -21.6977, 27.6301], [18.3184, 12.3081]]
    t = 15.0
    water = (999.83952 + 16.945176 * t - 7.9870401e-3 * t**2 - 46.170461e-6 * t**3 + 105.56302e-9 * t**4
             - 280.54253e-12 * t**5) / (1 + 16.879850e-3 * t)
    rho = lambda w: water + sum(x * w ** (i + 1) * ((t - 20) / 100) ** j for j, row in enumerate(c) for i, x in enumerate(row))
    found = []
    for extract in [0.0, 5.0, 10.0, 20.0]:
        w = 0.0
        for _ in range(60):
            w = 10 * extract / rho(w)
        found.append([extract, round(1443 / (rho(w) / 999.972) - 1443, 4)])
    return found


if __name__ == "__main__":
    print(json.dumps({
        "scipy": scipy.__version__, "anane-2017": anane(), "bajpai-reuss-1980": bajpai(), "birol-2002": birol(),
        "knallgas-phb": knallgas([0.70, 0.19, 0.10]), "knallgas-phb safe": knallgas([0.038, 0.073, 0.130]),
        "sake-moromi": sake(), "gravity": water_and_alcohol(),
        "sugar": water_and_sugar(),
    }, indent=1))
