"""Data of five sites and what statsmodels fits to all of them together: python3 train.py > train.tsv

Python 3.11.7, numpy 2.4.6, statsmodels 0.15.0. Lines: kind, then fields. The ridge is numpy's solution of
(X'X + 2 I) b = X'y.
"""

import numpy as np
import statsmodels.api as sm

rng = np.random.default_rng(20261130)
SITES, ROWS = 5, 24


def line(kind, *fields):
    print(kind, *(f"{f:.17g}" if isinstance(f, float) else f for f in fields), sep="\t")


for kind, p in (("gaussian", 4), ("bernoulli", 3), ("poisson", 3)):
    n = SITES * ROWS
    x = np.column_stack([np.ones(n), rng.normal(size=(n, p - 1))]).round(4)
    truth = np.array([0.4, 0.8, -0.5, 0.3][:p])
    eta = x @ truth
    if kind == "gaussian":
        y = (eta + 0.7 * rng.normal(size=n)).round(4)
        model = sm.OLS(y, x)
        fit = model.fit()
        ridge = np.linalg.solve(x.T @ x + 2 * np.eye(p), x.T @ y)
        line("gaussian-ridge", *map(float, ridge))
        # Standard errors at a standard deviation of one.
        errors = np.sqrt(np.diag(np.linalg.inv(x.T @ x)))
    elif kind == "bernoulli":
        y = (rng.random(n) < 1 / (1 + np.exp(-eta))).astype(float)
        fit = sm.GLM(y, x, family=sm.families.Binomial()).fit(tol=1e-14)
        errors = fit.bse
    else:
        y = rng.poisson(np.exp(eta)).astype(float)
        fit = sm.GLM(y, x, family=sm.families.Poisson()).fit(tol=1e-14)
        errors = fit.bse
    line(kind + "-fit", *map(float, fit.params))
    line(kind + "-errors", *map(float, errors))
    for i in range(n):
        line(kind, i % SITES, *map(float, x[i]), float(y[i]))
