"""The questions of BF-1, said once. Every peer and ours answer these and are checked against each other."""

REACTORS = 38
CHANNELS = 20
RUN = "simulated R05"
CHANNEL = "DO (%)"
TENSOR_RUNS = [f"simulated R{i:02}" for i in range(1, 13)]
START_US = 1_790_812_800_000_000  # 2026-10-01T00:00:00Z
MINUTE_US = 60_000_000
FIVE_MINUTES_US = 300_000_000
DAY_US = 86_400_000_000
PIXELS = 2000

QUESTIONS = {
    "q1": "one run, one channel, every point with its quality",
    "q2": "one run, 20 channels, mean of the good points on a 1 min grid of the clock",
    "q3": "as-of join: every sample with the latest good value of all 20 channels",
    "q4": "one channel of all runs, mean of the good points per 5 min since each run's first point",
    "q5": "latest good value of every channel of every run, with its time",
    "q6": "aligned tensor of 12 runs: dense array run x channel x minute since the first point, mean of the good points",
    "q7": "plot 2,000 pixels wide of the last 24 h of one channel: smallest and largest value per pixel",
}


def checked(n, total, **more):
    """The check of an answer: how many numbers, their sum, and sums of what else must agree."""
    return {"n": int(n), "sum": float(total), **{k: float(v) for k, v in more.items()}}


def agree(a, b):
    keys = (a.keys() & b.keys()) | {"n", "sum"}
    return all(k in a and k in b and abs(a[k] - b[k]) <= 1e-9 * max(1.0, abs(a[k]), abs(b[k])) for k in keys)
