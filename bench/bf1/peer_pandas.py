"""pandas on Parquet (pyarrow): one file a run, sorted by channel and time, zstd; merge_asof by channel."""

import numpy as np
import pandas as pd

from base import Base, dense
from workload import (CHANNEL, DAY_US, FIVE_MINUTES_US, MINUTE_US, PIXELS, RUN, TENSOR_RUNS)


class Peer(Base):
    layout = "one zstd Parquet file a run, sorted by (channel, t), row groups of 16,384 points; CSV read by pyarrow"

    def version(self):
        return pd.__version__

    def ingest(self, series, samples):
        self.dir = self.work / "parquet"
        self.dir.mkdir()
        runs = {}
        for file in series:
            runs.setdefault(file.rsplit("/", 1)[1].split("_")[1], []).append(file)
        self.file, self.zero, self.channels, self.n = {}, {}, {}, 0
        for name, files in runs.items():
            frame = pd.concat([pd.read_csv(f, engine="pyarrow") for f in files], ignore_index=True)
            frame["t"] = pd.to_datetime(frame["t"], utc=True, format="ISO8601").astype("datetime64[us, UTC]")
            run = frame["run"].iloc[0]
            for column in ("run", "channel", "quality"):
                frame[column] = frame[column].astype("category")
            frame = frame.sort_values(["channel", "t"], kind="stable", ignore_index=True)
            frame.to_parquet(self.dir / f"run={name}.parquet", compression="zstd", index=False, row_group_size=16_384)
            self.file[run], self.zero[run] = self.dir / f"run={name}.parquet", int(self.us(frame["t"]).min())
            self.channels[run] = list(frame["channel"].cat.categories)
            self.n += len(frame)
        assays = pd.read_csv(samples, engine="pyarrow", dtype={"value": str})
        assays["time"] = pd.to_datetime(assays["time"], utc=True).astype("datetime64[us, UTC]")
        assays.to_parquet(self.dir / "assays.parquet")
        assays.rename(columns={"time": "t"})[["run", "sample", "t"]].drop_duplicates().to_parquet(self.dir / "samples.parquet")

    def points(self):
        return self.n

    def bytes(self):
        return sum(f.stat().st_size for f in self.dir.glob("run=*.parquet"))

    def columns(self, answer):
        return {name: answer[name].dt.tz_localize(None).to_numpy() if name == "t" else answer[name].to_numpy() for name in answer.columns}

    def one(self, columns):
        return pd.read_parquet(self.file[RUN], columns=columns, filters=[("channel", "==", CHANNEL)])

    def good(self, run, columns, *more):
        return pd.read_parquet(self.file[run], columns=columns, filters=[("quality", "==", "good"), *more])

    @staticmethod
    def us(times):
        return times.dt.as_unit("us").astype("int64").to_numpy()

    def q1(self):
        return self.one(["t", "value", "quality"])

    def q2(self):
        frame = self.good(RUN, ["channel", "t", "value"])
        cell = self.us(frame["t"]) // MINUTE_US
        return frame.groupby(["channel", cell], observed=True)["value"].mean().rename_axis(["channel", "cell"]).reset_index()

    def q3(self):
        samples = pd.read_parquet(self.dir / "samples.parquet")
        out = []
        for run, group in samples.groupby("run"):
            right = self.good(run, ["channel", "t", "value"])
            right = right.assign(channel=right["channel"].astype(str)).sort_values("t")
            left = group.merge(pd.DataFrame({"channel": self.channels[run]}), how="cross").sort_values("t")
            out.append(pd.merge_asof(left, right, on="t", by="channel"))
        return pd.concat(out, ignore_index=True)

    def q4(self):
        out = []
        for run in self.file:
            frame = self.good(run, ["t", "value"], ("channel", "==", CHANNEL))
            cell = (self.us(frame["t"]) - self.zero[run]) // FIVE_MINUTES_US
            out.append(frame["value"].groupby(cell).mean().rename_axis("cell").reset_index().assign(run=run))
        return pd.concat(out, ignore_index=True)

    def q5(self):
        out = []
        for run in self.file:
            frame = self.good(run, ["channel", "t", "value"])
            out.append(frame.groupby("channel", observed=True).last().reset_index().assign(run=run))
        return pd.concat(out, ignore_index=True)

    def q6(self):
        parts = []
        for i, run in enumerate(TENSOR_RUNS):
            frame = self.good(run, ["channel", "t", "value"])
            cell = (self.us(frame["t"]) - self.zero[run]) // MINUTE_US
            j = frame["channel"].cat.codes.to_numpy()
            mean = frame["value"].groupby([j, cell]).mean()
            parts.append((np.full(len(mean), i), mean.index.get_level_values(0), mean.index.get_level_values(1), mean.to_numpy()))
        return dense(*(np.concatenate(c) for c in zip(*parts)))

    def q7(self):
        frame = self.one(["t", "value"])
        us, value = self.us(frame["t"]), frame["value"]
        keep = us >= us.max() - DAY_US
        us, value = us[keep], value[keep]
        x = (us - us.min()) * PIXELS // (us.max() - us.min() + 1)
        return value.groupby(x).agg(low="min", high="max").reset_index()
