"""Writes dunnett.json: results of scipy.stats.dunnett for the golden test of the ranking.

    python -m venv venv && venv/bin/pip install scipy==1.17.1 numpy==2.4.6
    venv/bin/python dunnett.py > dunnett.json

scipy integrates by randomised quasi-Monte Carlo, so its p are good to about 1e-3 (its own statement) and its
intervals to a few 1e-3 of the standard error; the seed makes the file reproducible, not exact.
"""

import json
import sys

import numpy
import scipy
from scipy import stats

rng = numpy.random.default_rng(1955)


def drawn(*groups):
    return [[round(float(v), 3) for v in rng.normal(mean, sd, n)] for mean, sd, n in groups]


CASES = {
    # C. W. Dunnett (1955), table of section 5: blood counts after two drugs, unequal numbers.
    "blood counts": [
        [7.40, 8.50, 7.20, 8.24, 9.84, 8.32],
        [9.76, 8.80, 7.68, 9.36],
        [12.80, 9.68, 12.16, 9.20, 10.55],
    ],
    "seven against one, three each": drawn((10, 1, 3), *[(10 + 0.6 * i, 1, 3) for i in range(7)]),
    "one replicate": drawn((5, 0.2, 4), (5.3, 0.2, 1), (5.1, 0.2, 3), (6.0, 0.2, 2)),
    "many against a small control": drawn((1, 0.1, 2), *[(1.05, 0.1, 12) for _ in range(4)]),
    "a large control": drawn((100, 8, 20), (108, 8, 4), (96, 8, 4), (101, 8, 3)),
    "two degrees of freedom": drawn((3, 0.5, 2), (4, 0.5, 2)),
}

out = {"scipy": scipy.__version__, "numpy": numpy.__version__, "cases": []}
for name, (control, *groups) in CASES.items():
    result = stats.dunnett(*groups, control=control, rng=numpy.random.default_rng(7))
    interval = result.confidence_interval(0.95)
    out["cases"].append(
        {
            "name": name,
            "control": control,
            "groups": groups,
            "statistic": result.statistic.tolist(),
            "p": result.pvalue.tolist(),
            "low": interval.low.tolist(),
            "high": interval.high.tolist(),
        }
    )
json.dump(out, sys.stdout, indent=1)
print()
