"""Steady state of the model cho-mab-perfusion, typed in again from its equations and solved by scipy 1.17.1:
integration by LSODA over 200 days, then fsolve; eigenvalues of the Jacobian by central differences; and sums over a
campaign of 30 days from day 12 on.

    python perfusion.py
"""
import numpy as np
from scipy.integrate import solve_ivp
from scipy.optimize import fsolve

mu_max, k_d, K_glc, K_gln, KI_lac, KI_amm, KD_lac, KD_amm = 0.039, 0.004, 1.0, 0.047, 43.0, 6.51, 45.8, 6.51
Y_glc, Y_gln, Y_lac, Y_amm, r_amm, m_glc, a_1, a_2, Q, k_lys, p = 0.357, 0.974, 0.70, 0.67, 0.0063, 0.0692, 0.0032, 2.1, 1.51, 0.002, 100.0


def rates(y, perfusion, bleed, glc=40.0, gln=6.0):
    Xv, Xd, G, L, N, A, mab, hcp = y[:8]
    mu = mu_max * G / (K_glc + G) * N / (K_gln + N) * KI_lac / (KI_lac + L) * KI_amm / (KI_amm + A)
    mu_d = k_d * L / (KD_lac + L) * A / (KD_amm + A)
    q_glc = mu / Y_glc + m_glc * G / (K_glc + G)
    q_gln = mu / Y_gln + a_1 * N / (a_2 + N)
    D, B = perfusion / 24, bleed / 24
    return np.array([
        (mu - mu_d - k_lys - B) * Xv, mu_d * Xv - B * Xd, D * (glc - G) - q_glc * Xv, Y_lac * q_glc * Xv - D * L,
        D * (gln - N) - q_gln * Xv, Y_amm * q_gln * Xv - r_amm * A / (0.1 + A) * Xv - D * A, Q * Xv - D * mab,
        k_lys * p * Xv - D * hcp])


start = [0.5, 0, 40, 0, 6, 0, 0, 0]
for perfusion, bleed in [(1.5, 0.2), (1.0, 0.4)]:
    f = lambda y: rates(y, perfusion, bleed)
    end = solve_ivp(lambda t, y: f(y), (0, 24 * 200), start, method="LSODA", rtol=1e-10, atol=1e-12).y[:, -1]
    y = fsolve(f, end, xtol=1e-14)
    n = len(y)
    J = np.array([(f(y + np.eye(n)[i] * 1e-6 * max(abs(y[i]), 1)) - f(y - np.eye(n)[i] * 1e-6 * max(abs(y[i]), 1)))
                  / (2e-6 * max(abs(y[i]), 1)) for i in range(n)]).T
    print(perfusion, bleed, [float(f"{v:.12g}") for v in y], "residual", np.abs(f(y)).max())
    print("  eigenvalues", sorted(np.linalg.eigvals(J), key=lambda e: -e.real)[:4])


def summed(t, y):
    f = rates(y, 1.5, 0.2)
    return np.append(f, [1.3 / 24 * y[6], 1.5 / 24])


course = solve_ivp(summed, (0, 24 * 30), start + [0, 1.0], method="LSODA", rtol=1e-11, atol=1e-12, t_eval=[24 * 12, 24 * 30])
print("collected mg from day 12 to 30", course.y[8, 1] - course.y[8, 0], "medium L", course.y[9, 1])

# A campaign of 60 days with 3 of turnaround: collected from the day on which living cells and antibody are within 5 % of
# the steady state until day 57.
from scipy.optimize import brentq

steady = fsolve(lambda y: rates(y, 1.5, 0.2), [32.9, 0.7, 1.7, 26.8, 0.18, 0.9, 795, 105])
whole = solve_ivp(summed, (0, 24 * 57), start + [0, 1.0], method="LSODA", rtol=1e-11, atol=1e-12, dense_output=True)
off = lambda day: max(abs(whole.sol(24 * day)[i] / steady[i] - 1) for i in (0, 6)) - 0.05
day = brentq(off, 12, 30)
collected = (whole.sol(24 * 57)[8] - whole.sol(24 * day)[8]) / 1000
print("collected from day", day, "g/(L.d)", collected / 60, "g/L medium", collected / whole.sol(24 * 57)[9])
