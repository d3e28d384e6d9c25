"""Log-densities of the priors of PEtab version 2, whole and truncated between bounds: petab_priors.tsv.

SciPy's distributions; run with `python petab_priors.py > petab_priors.tsv`.
"""

import math

from scipy import stats

CASES = [
    ("uniform", (2.0, 8.0), stats.uniform(2.0, 6.0), 5.0, 3.0, 7.0),
    ("normal", (4.0, 2.0), stats.norm(4.0, 2.0), 5.0, 1.0, 6.0),
    ("log-normal", (1.5, 0.7), stats.lognorm(0.7, scale=math.exp(1.5)), 5.0, 1.0, 9.0),
    ("cauchy", (3.0, 5.0), stats.cauchy(3.0, 5.0), 5.0, -1.0, 8.0),
    ("chisquare", (5.0,), stats.chi2(5.0), 4.0, 1.0, 9.0),
    ("exponential", (3.0,), stats.expon(scale=3.0), 5.0, 1.0, 6.0),
    ("gamma", (3.5, 5.0), stats.gamma(3.5, scale=5.0), 5.0, 2.0, 30.0),
    ("laplace", (3.0, 5.0), stats.laplace(3.0, 5.0), 5.0, -4.0, 6.0),
    ("log-laplace", (1.0, 0.4), stats.loglaplace(1.0 / 0.4, scale=math.exp(1.0)), 5.0, 0.5, 9.0),
    ("log-uniform", (3.0, 9.0), stats.loguniform(3.0, 9.0), 5.0, 4.0, 7.0),
    ("rayleigh", (3.0,), stats.rayleigh(scale=3.0), 5.0, 1.0, 6.0),
]

print("prior\tparameters\tx\tlow\thigh\tlog_density\ttruncated")
for name, of, dist, x, low, high in CASES:
    whole = dist.logpdf(x)
    cut = whole - math.log(dist.cdf(high) - dist.cdf(low))
    print(name, ";".join(map(repr, of)), x, low, high, repr(float(whole)), repr(float(cut)), sep="\t")
