"""Reference of rank::components: ANOVA estimates and the Williams-Tukey interval with scipy's F and chi-square."""
import numpy as np, scipy
from scipy.stats import f, chi2
g = np.array([[9.1, 8.7, 9.4, 9.0], [7.8, 8.1, 7.5, 8.2], [10.2, 9.6, 9.9, 10.1], [8.8, 9.2, 8.5, 9.0]])
a, n = g.shape
msb = n * g.mean(axis=1).var(ddof=1)
msw = g.var(axis=1, ddof=1).mean()
d1, d2 = a - 1, a * (n - 1)
bound = lambda p: np.sqrt(max(0.0, d1 * (msb - msw * f.ppf(p, d1, d2)) / (n * chi2.ppf(p, d1))))
print(scipy.__version__, np.__version__)
print("WITHIN", repr(float(np.sqrt(msw))))
print("OPERATOR", repr(float(np.sqrt((msb - msw) / n))))
print("LOWEND", repr(float(bound(0.95))))
print("HIGHEND", repr(float(bound(0.05))))
print("PVALUE", repr(float(f.sf(msb / msw, d1, d2))))
