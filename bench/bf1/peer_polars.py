"""Polars on Parquet: one file a run, sorted by channel and time, zstd; join_asof by channel."""

import polars as pl

from base import Base, dense
from workload import (CHANNEL, DAY_US, FIVE_MINUTES_US, MINUTE_US, PIXELS, RUN, TENSOR_RUNS)

SCHEMA = {"run": pl.String, "channel": pl.String, "t": pl.String, "value": pl.Float64, "quality": pl.String}
ISO = "%Y-%m-%dT%H:%M:%S%.fZ"


class Peer(Base):
    layout = "one zstd Parquet file a run, sorted by (channel, t), statistics, row groups of 16,384 points"

    def version(self):
        return pl.__version__

    def ingest(self, series, samples):
        self.dir = self.work / "parquet"
        self.dir.mkdir()
        runs = {}
        for file in series:
            runs.setdefault(file.rsplit("/", 1)[1].split("_")[1], []).append(file)
        facts = []
        for name, files in runs.items():
            frame = (pl.scan_csv(files, schema=SCHEMA)
                     .with_columns(pl.col("t").str.to_datetime(ISO, time_unit="us"), pl.col("run", "channel", "quality").cast(pl.Categorical))
                     .sort("channel", "t").collect())
            run = frame["run"][0]
            frame.write_parquet(self.dir / f"run={name}.parquet", compression="zstd", compression_level=3,
                                statistics=True, row_group_size=16_384)
            facts.append({"run": str(run), "file": f"run={name}.parquet", "t0": frame["t"].min(), "channels": frame["channel"].unique().to_list()})
        self.facts = pl.DataFrame(facts)
        self.facts.write_parquet(self.dir / "runs.parquet")
        assays = pl.read_csv(samples, schema_overrides={"value": pl.String}).with_columns(pl.col("time").str.to_datetime("%Y-%m-%dT%H:%M:%SZ", time_unit="us"))
        assays.write_parquet(self.dir / "assays.parquet")
        assays.select("run", "sample", pl.col("time").alias("t")).unique().sort("run", "t").write_parquet(self.dir / "samples.parquet")
        self.file = dict(zip(self.facts["run"], self.facts["file"]))
        self.zero = dict(zip(self.facts["run"], self.facts["t0"]))

    def points(self):
        return pl.scan_parquet(self.dir / "run=*.parquet").select(pl.len()).collect().item()

    def bytes(self):
        return sum(f.stat().st_size for f in self.dir.glob("run=*.parquet"))

    def columns(self, answer):
        return {name: answer[name].to_numpy() for name in answer.columns}

    def scan(self, run):
        return pl.scan_parquet(self.dir / self.file[run])

    def q1(self):
        return self.scan(RUN).filter(pl.col("channel") == CHANNEL).select("t", "value", "quality").collect()

    def q2(self):
        return (self.scan(RUN).filter(pl.col("quality") == "good")
                .group_by("channel", (pl.col("t").dt.timestamp("us") // MINUTE_US).alias("cell")).agg(pl.col("value").mean()).collect())

    def q3(self):
        samples = pl.read_parquet(self.dir / "samples.parquet")
        out = []
        for row in self.facts.iter_rows(named=True):
            right = self.scan(row["run"]).filter(pl.col("quality") == "good").select(pl.col("channel").cast(pl.String), "t", "value")
            left = (samples.lazy().filter(pl.col("run") == row["run"]).join(pl.LazyFrame({"channel": row["channels"]}, schema={"channel": pl.String}), how="cross")
                    .sort("channel", "t"))
            out.append(left.join_asof(right, on="t", by="channel", check_sortedness=False))
        return pl.concat(pl.collect_all(out))

    def q4(self):
        parts = []
        for run in self.file:
            cell = ((pl.col("t") - self.zero[run]).dt.total_microseconds() // FIVE_MINUTES_US).alias("cell")
            parts.append(self.scan(run).filter((pl.col("channel") == CHANNEL) & (pl.col("quality") == "good"))
                         .group_by(cell).agg(pl.col("value").mean()).with_columns(run=pl.lit(run)))
        return pl.concat(pl.collect_all(parts))

    def q5(self):
        parts = [self.scan(run).filter(pl.col("quality") == "good").group_by("channel")
                 .agg(pl.col("t").last(), pl.col("value").last()).with_columns(run=pl.lit(run), channel=pl.col("channel").cast(pl.String)) for run in self.file]
        return pl.concat(pl.collect_all(parts))

    def q6(self):
        parts = []
        for i, run in enumerate(TENSOR_RUNS):
            cell = ((pl.col("t") - self.zero[run]).dt.total_microseconds() // MINUTE_US).alias("cell")
            parts.append(self.scan(run).filter(pl.col("quality") == "good").group_by(pl.col("channel").cast(pl.String), cell)
                         .agg(pl.col("value").mean()).with_columns(i=pl.lit(i)))
        c = pl.concat(pl.collect_all(parts))
        keys = {k: j for j, k in enumerate(sorted(c["channel"].unique()))}
        j = c["channel"].replace_strict(keys, return_dtype=pl.Int64).to_numpy()
        return dense(c["i"].to_numpy(), j, c["cell"].to_numpy(), c["value"].to_numpy())

    def q7(self):
        one = self.scan(RUN).filter(pl.col("channel") == CHANNEL).select("t", "value").collect()
        us = one["t"].dt.timestamp("us")
        one = one.select("value", us=us).filter(us >= us.max() - DAY_US)
        first, last = one["us"].min(), one["us"].max()
        x = ((pl.col("us") - first) * PIXELS // (last - first + 1)).alias("x")
        return one.group_by(x).agg(pl.col("value").min().alias("low"), pl.col("value").max().alias("high"))
