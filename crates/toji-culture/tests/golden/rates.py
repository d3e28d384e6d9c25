"""Golden numbers for toji-culture's rates, by scipy and statsmodels. Run: python rates.py > rates.json

Every window of the growth rule is fitted here by statsmodels, one by one, so that the search, the interval and
the lag are another program's. Numbers are rounded to 12 digits before they are used, so that both sides read the same.
"""
import json
import math
import sys

import numpy as np
import scipy
import scipy.stats as st
import statsmodels
import statsmodels.api as sm

rng = np.random.default_rng(20261129)


def rounded(values):
    return [float(f"{v:.12g}") for v in values]


def lags(n):
    return math.floor(4 * (n / 100) ** (2 / 9))


def fits(x, y, w=None):
    """Ordinary and Newey-West fit of y = a + b x."""
    X = sm.add_constant(np.asarray(x))
    model = sm.OLS(y, X) if w is None else sm.WLS(y, X, weights=w)
    plain = model.fit()
    hac = model.fit(cov_type="HAC", cov_kwds={"maxlags": lags(len(x)), "use_correction": True, "kernel": "bartlett"}, use_t=True)
    return plain, hac


def scatter(t, y):
    """Robust variance of a residual by its neighbours (Gasser, Sroka and Jennen-Steinmetz 1986, median form)."""
    d = []
    for i in range(1, len(t) - 1):
        a = (t[i + 1] - t[i]) / (t[i + 1] - t[i - 1])
        b = 1 - a
        d.append((a * y[i - 1] + b * y[i + 1] - y[i]) ** 2 / (1 + a * a + b * b))
    return np.median(d) / st.chi2.ppf(0.5, 1)


def wider(x, y, w, floor):
    """Standard error of the slope and covariance of (a, b): the wider of the two, the ordinary one not below the floor."""
    plain, hac = fits(x, y, w)
    ordinary = plain.cov_params() * max(1.0, floor / plain.mse_resid)
    robust = hac.cov_params()
    return robust if robust[1, 1] > ordinary[1, 1] else ordinary


def regression(n, rho, weighted):
    x = rounded(np.sort(rng.uniform(0, 10, n)))
    e = np.zeros(n)
    for i in range(n):
        e[i] = rho * e[i - 1] + rng.normal(0, 0.3)
    w = rounded(rng.uniform(0.5, 4.0, n)) if weighted else None
    y = rounded(1.5 + 0.42 * np.asarray(x) + e)
    plain, hac = fits(x, y, w)
    return {
        "x": x, "y": y, "weights": w, "slope": plain.params[1], "intercept": plain.params[0],
        "plain": plain.bse[1], "hac": hac.bse[1], "r_squared": plain.rsquared, "residual_variance": plain.mse_resid,
    }


def best_window(t, y, w, least, floor):
    best = None
    for i in range(len(t) - least + 1):
        for j in range(len(t), i + least - 1, -1):
            part = slice(i, j)
            ww = None if w is None else w[part]
            plain = sm.OLS(y[part], sm.add_constant(t[part])).fit() if w is None else sm.WLS(y[part], sm.add_constant(t[part]), weights=ww).fit()
            slope = plain.params[1]
            if slope * (t[j - 1] - t[i]) < math.log(2) or plain.rsquared < 0.95:
                continue
            cov = wider(t[part], y[part], ww, floor)
            error = math.sqrt(cov[1, 1])
            quantile = st.t.ppf(0.975, j - i - 2)
            limit = slope - max(quantile, 6.0) * error
            if slope - quantile * error > 0 and (best is None or limit > best[0] + 1e-9 * abs(best[0])):
                best = (limit, slope, quantile * error, i, j, plain, cov)
    return best


def growth(name, t, x, sigma=None):
    """Samples of a culture: the window, its interval, and the tangent lag from the first point."""
    t, x = np.asarray(rounded(t)), np.asarray(rounded(x))
    s = None if sigma is None else np.asarray(rounded(sigma))
    w = None if s is None else (x / s) ** 2
    floor = scatter(t, np.log(x)) if s is None else 1.0
    _, slope, half, i, j, fit, cov = best_window(t, np.log(x), w, 4, floor)
    a, b = fit.params
    y0 = math.log(x[0])
    first = max(fit.mse_resid, floor) if s is None else (s[0] / x[0]) ** 2
    lag = (y0 - a) / b
    # Delta method in the parameters (y0, a, b) as they stand, not centred.
    grad = np.array([1 / b, -1 / b, -(y0 - a) / b**2])
    full = np.zeros((3, 3))
    full[0, 0] = first
    full[1:, 1:] = cov
    lag_half = st.t.ppf(0.975, j - i - 2) * math.sqrt(grad @ full @ grad)
    return {
        "name": name, "t_h": list(t), "x": list(x), "sigma": None if s is None else list(s),
        "slope": slope, "half": half, "from_h": t[i], "to_h": t[j - 1], "n": j - i, "lag_h": lag, "lag_half_h": lag_half,
    }


def culture(t, mu, lag, x0, top):
    """Gompertz-like by Zwietering's parameters, plain enough: lag, exponential, saturation."""
    t = np.asarray(t)
    a = math.log(top / x0)
    return x0 * np.exp(a * np.exp(-np.exp(mu * math.e / a * (lag - t) + 1)))


def fed_batch():
    """Totals of a fed-batch with known yields 0.45 (biomass) and 0.08 (product) on glucose."""
    t = np.arange(0, 21, 2.0)
    feed = np.where(t > 8, 30.0 * (t - 8), 0.0)  # mL
    volume = 1.0 + feed / 1000
    total = np.where(t <= 8, 15 * (np.exp(0.3 * t) - 1) / (math.exp(2.4) - 1), 15 + feed * 0.5 * 0.999)
    left = 15 + feed * 0.5 - total
    x = (0.2 + 0.45 * total) / volume * (1 + rng.normal(0, 0.02, len(t)))
    p = (0.08 * total) / volume * (1 + rng.normal(0, 0.02, len(t)))
    s = left / volume * (1 + rng.normal(0, 0.02, len(t)))
    t, feed, volume, x, p, s = (np.asarray(rounded(v)) for v in (t, feed, volume, x, p, s))
    used = feed * 0.5 - s * volume
    made, product = x * volume, p * volume
    slope = lambda a, b: st.linregress(a, b).slope
    resampled = lambda a, b: st.bootstrap((a, b), slope, paired=True, vectorized=False, n_resamples=20000, method="percentile", rng=np.random.default_rng(1)).confidence_interval
    out = {"t_h": list(t), "feed_ml": list(feed), "volume_l": list(volume), "biomass": list(x), "product": list(p), "substrate": list(s)}
    for name, a, b in [("xs", used, made), ("ps", used, product), ("px", made, product)]:
        ci = resampled(a, b)
        out[name] = {"slope": slope(a, b), "low": ci.low, "high": ci.high}
    return out


t = np.arange(0, 16, 0.75)
x = culture(t, 0.45, 2.0, 0.1, 12.0)
noisy = x * (1 + rng.normal(0, 0.03, len(t)))
sigma = 0.02 * x + 0.02
stated = np.abs(x + rng.normal(0, 1, len(t)) * sigma)
few = np.arange(0, 12, 2.0)

golden = {
    "versions": {"python": sys.version.split()[0], "numpy": np.__version__, "scipy": scipy.__version__, "statsmodels": statsmodels.__version__},
    "regressions": [regression(6, 0.0, False), regression(25, 0.7, False), regression(120, 0.8, False), regression(40, 0.5, True)],
    "growth": [
        growth("unweighted", t, noisy),
        growth("weighted", t, stated, sigma),
        growth("few samples", few, 0.2 * np.exp(0.4 * few) * (1 + rng.normal(0, 0.02, len(few)))),
    ],
    "fed_batch": fed_batch(),
    "student": [[d, st.t.ppf(0.975, d)] for d in (1, 2, 3, 5, 10, 30, 298)],
}
json.dump(golden, sys.stdout, indent=1)
print()
