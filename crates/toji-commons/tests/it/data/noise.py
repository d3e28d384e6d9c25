"""Figures of OpenDP to compare with: python3 noise.py > noise.tsv

Python 3.11.7, opendp 0.16.0. Losses of its mechanisms and its conversion from zCDP are deterministic; the histograms
are 200,000 draws each from its own samplers (from the system's generator, so each run gives others).
"""

from collections import Counter

import opendp.prelude as dp

dp.enable_features("contrib")
INT = (dp.atom_domain(T=int), dp.absolute_distance(T=int))
MANY = (dp.vector_domain(dp.atom_domain(T=int)), dp.l1_distance(T=int))
MANY2 = (dp.vector_domain(dp.atom_domain(T=int)), dp.l2_distance(T=float))


def line(*fields):
    print(*(f"{f:.17g}" if isinstance(f, float) else f for f in fields), sep="\t")


for sensitivity, scale in ((1, 1.0), (1, 10.0), (7, 2.5), (100, 400.0)):
    line("laplace-epsilon", sensitivity, scale, dp.m.make_laplace(*INT, scale=scale).map(sensitivity))
    gauss = dp.m.make_gaussian(*INT, scale=scale)
    line("gaussian-rho", sensitivity, scale, gauss.map(sensitivity))
for scale in (0.8, 1.5, 4.0, 20.0):
    gauss = dp.m.make_gaussian(*INT, scale=scale)
    profile = dp.c.make_zCDP_to_approxDP(gauss).map(1)
    rho = gauss.map(1)
    for epsilon in (0.1, 1.0, 3.0):
        line("delta", rho, epsilon, profile.delta(epsilon))
    for delta in (1e-9, 1e-6, 1e-3):
        line("epsilon", rho, delta, profile.epsilon(delta))
for scale in (0.7, 2.5):
    drawn = Counter(dp.m.make_laplace(*MANY, scale=scale)([0] * 200_000))
    for value in sorted(drawn):
        line("laplace-draws", scale, value, drawn[value])
for scale in (0.9, 3.2):
    gauss = dp.m.make_gaussian(*MANY2, scale=scale)
    drawn = Counter(gauss([0] * 200_000))
    for value in sorted(drawn):
        line("gaussian-draws", scale, value, drawn[value])
