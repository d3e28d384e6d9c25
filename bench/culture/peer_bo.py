"""BoTorch on the campaigns of `examples/regret.rs`: qLogNEI, unit by unit, exact GP with the defaults of SingleTaskGP.

`peer_bo.py SEEDS CASE…` prints a line of JSON a case; CPU seconds of fit and proposal.
"""

import json
import math
import sys
import time
import warnings

import torch
from botorch.acquisition.logei import qLogNoisyExpectedImprovement
from botorch.fit import fit_gpytorch_mll
from botorch.models import SingleTaskGP
from botorch.optim import optimize_acqf
from botorch.sampling import SobolQMCNormalSampler
from gpytorch.mlls import ExactMarginalLogLikelihood

torch.set_num_threads(1)
torch.set_default_dtype(torch.double)
warnings.filterwarnings("ignore")

ALPHA = torch.tensor([1.0, 1.2, 3.0, 3.2])
A = torch.tensor([[10, 3, 17, 3.5, 1.7, 8], [0.05, 10, 17, 0.1, 8, 14], [3, 3.5, 1.7, 10, 17, 8], [17, 8, 0.05, 10, 0.1, 14]])
P = torch.tensor([[0.1312, 0.1696, 0.5569, 0.0124, 0.8283, 0.5886], [0.2329, 0.4135, 0.8307, 0.3736, 0.1004, 0.9991],
                  [0.2348, 0.1451, 0.3522, 0.2883, 0.3047, 0.6650], [0.4047, 0.8828, 0.8732, 0.5743, 0.1091, 0.0381]])


def hartmann(u):
    return (ALPHA * torch.exp(-(A * (u.unsqueeze(-2) - P) ** 2).sum(-1))).sum(-1)


def branin(u):
    x, y = 15.0 * u[..., 0] - 5.0, 15.0 * u[..., 1]
    a = y - 5.1 / (4.0 * math.pi**2) * x**2 + 5.0 / math.pi * x - 6.0
    return -(a**2 + 10.0 * (1.0 - 1.0 / (8.0 * math.pi)) * torch.cos(x) + 10.0)


def eight(u):
    return hartmann(u[..., :6]) + 0.3 * u[..., 6] - 0.5 * (u[..., 7] - 0.4) ** 2


# (function, best, dimensions, runs at the start, units, rounds, noise)
CASES = {"branin": (branin, -0.397887, 2, 6, 4, 5, 0.0), "hartmann": (hartmann, 3.322368, 6, 16, 8, 6, 0.0),
         "noisy": (hartmann, 3.322368, 6, 16, 8, 6, 0.2)}


def propose(x, y, q, seed):
    """The next q points, chosen one by one."""
    model = SingleTaskGP(x, y)
    fit_gpytorch_mll(ExactMarginalLogLikelihood(model.likelihood, model))
    gain = qLogNoisyExpectedImprovement(model, X_baseline=x, prune_baseline=True, sampler=SobolQMCNormalSampler(torch.Size([128]), seed=seed))
    bounds = torch.stack([torch.zeros(x.shape[1]), torch.ones(x.shape[1])])
    return optimize_acqf(gain, bounds, q=q, num_restarts=4, raw_samples=64, sequential=True)[0].detach()


def campaign(case, seed):
    function, best, dimensions, start, q, rounds, noise = CASES[case]
    torch.manual_seed(seed)
    x = torch.quasirandom.SobolEngine(dimensions, scramble=True, seed=seed).draw(start, dtype=torch.double)
    read = lambda x: (function(x) + noise * torch.randn(len(x))).unsqueeze(-1)
    y = read(x)
    regrets, spent = [float(best - function(x).max())], 0.0
    for number in range(rounds):
        begin = time.process_time()
        new = propose(x, y, q, 1000 * seed + number)
        spent += time.process_time() - begin
        x, y = torch.cat([x, new]), torch.cat([y, read(new)])
        regrets.append(float(best - function(x).max()))
    return regrets, spent / rounds


def step(seed):
    torch.manual_seed(seed)
    x = torch.quasirandom.SobolEngine(8, scramble=True, seed=seed).draw(48, dtype=torch.double)
    y = (eight(x) + 0.1 * torch.randn(48)).unsqueeze(-1)
    begin = time.process_time()
    propose(x, y, 24, seed)
    return time.process_time() - begin


def quantile(values, share):
    return sorted(values)[round((len(values) - 1) * share)]


def main():
    seeds, wanted = int(sys.argv[1]), sys.argv[2:]
    for case in [c for c in CASES if c in wanted]:
        done = [campaign(case, seed) for seed in range(seeds)]
        ends = [r[-1] for r, _ in done]
        print(json.dumps({"case": case, "seeds": seeds, "median_by_round": [quantile(r, 0.5) for r in zip(*[r for r, _ in done])],
                          "median": quantile(ends, 0.5), "quartiles": [quantile(ends, 0.25), quantile(ends, 0.75)], "worst": max(ends),
                          "seconds_a_round": sum(s for _, s in done) / seeds}), flush=True)
    if "step" in wanted:
        step(99)
        took = [step(seed) for seed in range(min(seeds, 3))]
        print(json.dumps({"case": "step q=24 d=8 n=48", "seconds_min": min(took), "seconds_median": quantile(took, 0.5), "seconds_max": max(took)}))


if __name__ == "__main__":
    main()
