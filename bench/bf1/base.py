"""What all peers share: the shape of a peer, and checks of answers that come as columns."""

import numpy as np

from workload import CHANNELS, START_US, TENSOR_RUNS, checked


class Base:
    """A peer. `qN` is timed and gives the answer as its users would get it; `check_qN` is not timed."""

    layout = ""
    not_possible = {}

    def __init__(self, work, meter):
        self.work, self.meter = work, meter
        work.mkdir(parents=True, exist_ok=True)

    def ingest_notes(self):
        return {}

    def close(self):
        pass

    # Checks for answers that `columns` turns into a dict of NumPy arrays.
    def columns(self, answer):
        raise NotImplementedError

    def check_q1(self, answer):
        c = self.columns(answer)
        flagged = np.count_nonzero(np.asarray(c["quality"]).astype(str) != "good")
        return checked(len(c["value"]), np.sum(c["value"]), t=np.sum(micros(c["t"]) - START_US), flagged=flagged)

    def check_means(self, answer):
        value = np.asarray(self.columns(answer)["value"], dtype=float)
        return checked(len(value), value.sum())

    check_q2 = check_q4 = check_means

    def check_q3(self, answer):
        value = np.asarray(self.columns(answer)["value"], dtype=float)
        return checked(np.count_nonzero(~np.isnan(value)), np.nansum(value))

    def check_q5(self, answer):
        c = self.columns(answer)
        return checked(len(c["value"]), np.sum(c["value"]), t=np.sum(micros(c["t"]) - START_US))

    def check_q6(self, tensor):
        assert tensor.shape[:2] == (len(TENSOR_RUNS), CHANNELS), tensor.shape
        return checked(np.count_nonzero(~np.isnan(tensor)), np.nansum(tensor), cells=tensor.shape[2])

    def check_q7(self, answer):
        c = self.columns(answer)
        return checked(len(c["low"]), np.sum(c["low"]), high=np.sum(c["high"]))


def micros(times):
    """Microseconds since 1970 of any column of times."""
    times = np.asarray(times)
    if times.dtype.kind == "O":
        times = np.array([t.replace(tzinfo=None) for t in times], dtype="datetime64[us]")
    return times.astype("datetime64[us]").astype(np.int64) if times.dtype.kind == "M" else times.astype(np.int64)


def dense(run_at, channel_at, cell, value):
    """A dense tensor from places and values."""
    tensor = np.full((len(TENSOR_RUNS), CHANNELS, int(cell.max()) + 1), np.nan)
    tensor[run_at, channel_at, cell] = value
    return tensor
