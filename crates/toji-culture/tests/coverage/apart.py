"""The coverage study of `examples/coverage.rs` once more, written apart from the engine: the same plant, the same unknown
differences, noise and recipes, fits by Gauss and Newton, populations by two stages, and jackknife+ by run. It takes seconds
a repeat where the engine's cautious solver takes minutes, so it can tell one per cent.

    cc -O3 -march=native -ffast-math -shared -fPIC apart.c -o apart.so
    python3 apart.py [runs] [repeats] [new runs] [seed]

Needs NumPy (2.4.6 was used). It prints for titre and for whole courses the share of new runs that the band held, the share
that stay (the set that the band is the hull of), and the share that the band of one model with the spread of the left out
scores holds (Lei et al. 2018), each with its standard error among repeats, and the mean widths of both bands in spreads.
The table in docs/src/en/prediction.md is `10 550 5 1` and `10 400 5 2` together, `20 300 4 1` and `50 300 3 1`.
"""

import ctypes
import os
import sys

os.environ["OPENBLAS_NUM_THREADS"] = "1"
import numpy as np

LIBRARY = ctypes.CDLL(os.path.join(os.path.dirname(os.path.abspath(__file__)), "apart.so"))
LEVEL, DRAWS = 0.9, 40
SD = np.repeat([0.02, 0.4, 0.3, 5.0], 7)
SHARE = np.repeat([0.06, 0.03, 0.04, 0.05], 7)
NOMINAL = np.array([0.039, 1.51, 0.70, 0.0692])
LOW, HIGH = np.log([0.02, 0.4, 0.2, 0.01]), np.log([0.08, 6.0, 1.6, 0.4])
HIDDEN = ((0, 0.04), (1, 0.08), (2, 0.07), (3, 0.10), (4, 0.04), (6, 0.02), (7, 0.2))


def simulate(parameters):
    parameters = np.ascontiguousarray(parameters, float)
    read = np.empty((len(parameters), 28))
    at = lambda a: a.ctypes.data_as(ctypes.c_void_p)
    LIBRARY.simulate(at(parameters), at(read), ctypes.c_long(len(parameters)))
    return read


def noise(value):
    return np.sqrt(SD**2 + (SHARE * value) ** 2)


def runs(n, rng):
    """Recipes, and readings of the truth."""
    drawn = [rng.uniform(0.35, 0.7, n), rng.uniform(30, 45, n), rng.uniform(330, 450, n), np.full(n, 0.004)]
    recipe = np.stack(drawn + [flow * rng.uniform(0.85, 1.15, n) for flow in (0.10, 0.20, 0.25, 0.25)], 1)
    truth = np.concatenate([np.tile(NOMINAL, (n, 1)), recipe], 1)
    for place, sd in HIDDEN:
        truth[:, place] *= np.exp(sd * rng.standard_normal(n))
    value = simulate(truth)
    return recipe, value + noise(value) * rng.standard_normal((n, 28))


def alone(recipe, read):
    """What each run alone tells: estimates of the logarithms and their covariances."""
    n, weight = len(recipe), 1 / noise(read)
    at = np.tile(np.log(NOMINAL), (n, 1))
    for turn in range(7):
        base = np.concatenate([np.exp(at), recipe], 1)
        moved = [base]
        for k in range(4):
            one = base.copy()
            one[:, k] *= np.exp(1e-4)
            moved.append(one)
        value = simulate(np.concatenate(moved)).reshape(5, n, 28)
        slope = ((value[1:] - value[0]) / 1e-4 * weight).transpose(1, 2, 0)
        curvature = np.einsum("nij,nik->njk", slope, slope) + np.diag(12 / (HIGH - LOW) ** 2)
        if turn < 6:
            pull = np.einsum("nij,ni->nj", slope, (read - value[0]) * weight)
            at = np.clip(at + np.clip(np.linalg.solve(curvature, pull[..., None])[..., 0], -0.5, 0.5), LOW, HIGH)
    return at, np.linalg.inv(curvature)


def population(at, covariance):
    """Mean, and factors of the covariances among runs and of the mean."""
    n, between = len(at), np.cov(at.T)
    for _ in range(500):
        weight = np.linalg.inv(covariance + between)
        total = weight.sum(0)
        of_mean = np.linalg.inv(total)
        mean = of_mean @ np.einsum("nij,nj->i", weight, at)
        pulled = np.einsum("ij,njk,nk->ni", between, weight, at - mean)
        following = pulled.T @ pulled / (n - 1) + (between * n - between @ total @ between) / n
        change = np.max(np.abs(np.diag(following) - np.diag(between)) / (np.diag(between) + 1e-12))
        between = following
        if change < 1e-4:
            break
    factor = lambda m: np.linalg.cholesky(m + np.eye(4) * (1e-10 * np.diag(m).max() + 1e-18))
    return mean, factor(between), factor(of_mean)


FIXED = np.random.default_rng(17)
AMONG, OF_MEAN = FIXED.standard_normal((DRAWS, 4)), FIXED.standard_normal((DRAWS, 4))
SQUARES = FIXED.standard_normal((DRAWS, 200)) ** 2


def draws(told, n):
    mean, among, of_mean = told
    wider = np.sqrt((n - 1) / np.maximum(SQUARES[:, : n - 1].sum(1), 1e-3))
    return np.exp(np.clip(mean + wider[:, None] * (AMONG @ among.T) + OF_MEAN @ of_mean.T, LOW, HIGH))


def expected(drawn, recipes):
    """Means and spreads of readings, by the draws of one population for each recipe."""
    pairs = [np.concatenate([d, np.tile(r, (DRAWS, 1))], 1) for d, r in zip(drawn, recipes)]
    value = simulate(np.concatenate(pairs)).reshape(len(recipes), DRAWS, 28)
    return value.mean(1), np.sqrt(value.var(1, ddof=1) + (noise(value) ** 2).mean(1))


def repeat(n, new, rng):
    rank = int(np.ceil(LEVEL * (n + 1) - 1e-9))
    (recipe, read), (recipe_new, read_new) = runs(n, rng), runs(new, rng)
    at, covariance = alone(recipe, read)
    without = [draws(population(np.delete(at, i, 0), np.delete(covariance, i, 0)), n - 1) for i in range(n)]
    mean, spread = expected(without, recipe)
    mean_one, spread_one = expected([draws(population(at, covariance), n)] * new, recipe_new)
    of_new = [expected(without, np.tile(r, (n, 1))) for r in recipe_new]
    rows = []
    for where in (slice(27, 28), slice(0, 28)):
        score = (np.abs(read - mean) / spread)[:, where].max(1)
        one = np.sort(score)[rank - 1]
        found = np.zeros(5)
        for j, (m, s) in enumerate(of_new):
            m, s, y = m[:, where], s[:, where], read_new[j, where]
            high = np.sort(m + score[:, None] * s, 0)[rank - 1]
            low = -np.sort(-m + score[:, None] * s, 0)[rank - 1]
            found[0] += ((low <= y) & (y <= high)).all()
            found[1] += ((np.abs(y - m) / s).max(1) > score).sum() < rank
            found[2] += (np.abs(y - mean_one[j, where]) / spread_one[j, where]).max() <= one
            found[3] += ((high - low) / spread_one[j, where]).mean()
            found[4] += 2 * one
        rows.append(found / new)
    return rows


def main():
    n, repeats, new, seed = [int(a) for a in (sys.argv[1:] + ["10", "400", "5", "1"][len(sys.argv) - 1 :])]
    rng = np.random.default_rng(seed)
    found = []
    for done in range(1, repeats + 1):
        found.append(repeat(n, new, rng))
        if done % 50 == 0 or done == repeats:
            all_ = np.array(found)
            mean, error = all_.mean(0), all_.std(0, ddof=1) / np.sqrt(done)
            for what, m, e in zip(("titre", "course"), mean, error):
                shares = ", ".join(f"{k} {100 * a:.1f} ± {100 * b:.1f} %" for k, a, b in zip(("band", "stays", "one model"), m, e))
                print(f"{n} runs, {done} repeats, {what}: {shares}; widths {m[3]:.2f} and {m[4]:.2f}", flush=True)


main()
