"""ClickHouse inside the process (chDB): MergeTree ordered by run, channel and time; ASOF JOIN."""

import chdb
from chdb.session import Session

from base import Base, dense
from workload import (CHANNEL, DAY_US, FIVE_MINUTES_US, MINUTE_US, PIXELS, RUN, TENSOR_RUNS)


class Peer(Base):
    layout = "MergeTree ORDER BY (run, channel, t), LowCardinality strings, Delta and ZSTD(3) codecs, merged to one part"

    def version(self):
        return str(chdb.__version__)

    def ingest(self, series, samples):
        self.dir = self.work / "chdb"
        self.db = Session(str(self.dir))
        run = lambda sql: self.db.query(sql)
        run("CREATE DATABASE IF NOT EXISTS bf1")
        run("""CREATE TABLE bf1.pts (run LowCardinality(String), channel LowCardinality(String),
               t DateTime64(6,'UTC') CODEC(Delta, ZSTD(3)), value Float64 CODEC(ZSTD(3)), quality LowCardinality(String) CODEC(ZSTD(3)))
               ENGINE=MergeTree ORDER BY (run, channel, t)""")
        folder = series[0].rsplit("/", 1)[0]
        run(f"""INSERT INTO bf1.pts SELECT run, channel, t, value, quality FROM file('{folder}/foundry_R*.csv', CSVWithNames,
                'run String, channel String, t DateTime64(6,\\'UTC\\'), value Float64, quality String')
                SETTINGS date_time_input_format='best_effort'""")
        run("OPTIMIZE TABLE bf1.pts FINAL")
        run(f"""CREATE TABLE bf1.assays ENGINE=MergeTree ORDER BY (run, sample) AS SELECT * FROM file('{samples}', CSVWithNames,
                'run String, sample String, time DateTime64(6,\\'UTC\\'), analyte String, value String, unit String')
                SETTINGS date_time_input_format='best_effort'""")
        run("CREATE TABLE bf1.samples ENGINE=MergeTree ORDER BY (run, t) AS SELECT DISTINCT run, sample, time AS t FROM bf1.assays")
        run("CREATE TABLE bf1.runs ENGINE=MergeTree ORDER BY run AS SELECT run, min(t) AS t0 FROM bf1.pts GROUP BY run")
        run("CREATE TABLE bf1.channels ENGINE=MergeTree ORDER BY run AS SELECT DISTINCT run, channel FROM bf1.pts")

    def points(self):
        return int(self.db.query("SELECT count() FROM bf1.pts", "CSV").bytes())

    def bytes(self):
        return int(self.db.query("SELECT sum(bytes_on_disk) FROM system.parts WHERE active AND database='bf1' AND table='pts'", "CSV").bytes())

    def columns(self, answer):
        return {name: answer[name].to_numpy() for name in answer.columns}

    def ask(self, sql):
        return self.db.query(sql, "DataFrame")

    def q1(self):
        return self.ask(f"SELECT t, value, quality FROM bf1.pts WHERE run='{RUN}' AND channel='{CHANNEL}' ORDER BY t")

    def q2(self):
        return self.ask(f"""SELECT channel, intDiv(toUnixTimestamp64Micro(t), {MINUTE_US}) AS cell, avg(value) AS value
                            FROM bf1.pts WHERE run='{RUN}' AND quality='good' GROUP BY channel, cell""")

    def q3(self):
        return self.ask("""SELECT a.run AS run, a.sample AS sample, a.channel AS channel, p.value AS value
                           FROM (SELECT s.run AS run, s.sample AS sample, s.t AS t, c.channel AS channel
                                 FROM bf1.samples s JOIN bf1.channels c ON s.run=c.run) a
                           ASOF LEFT JOIN (SELECT run, channel, t, value FROM bf1.pts WHERE quality='good') p
                           ON a.run=p.run AND a.channel=p.channel AND a.t>=p.t SETTINGS join_use_nulls=1""")

    def q4(self):
        return self.ask(f"""SELECT run, intDiv(toUnixTimestamp64Micro(t)-toUnixTimestamp64Micro(t0), {FIVE_MINUTES_US}) AS cell,
                            avg(value) AS value FROM bf1.pts JOIN bf1.runs USING (run)
                            WHERE channel='{CHANNEL}' AND quality='good' GROUP BY run, cell""")

    def q5(self):
        return self.ask("""SELECT run, channel, max(bf1.pts.t) AS t, argMax(value, bf1.pts.t) AS value FROM bf1.pts
                           WHERE quality='good' GROUP BY run, channel""")

    def q6(self):
        runs = "[" + ",".join(f"'{r}'" for r in TENSOR_RUNS) + "]"
        c = self.columns(self.ask(
            f"""WITH {runs} AS names, (SELECT arraySort(groupUniqArray(channel)) FROM bf1.channels) AS keys
                SELECT indexOf(names, run)-1 AS i, indexOf(keys, channel)-1 AS j,
                intDiv(toUnixTimestamp64Micro(t)-toUnixTimestamp64Micro(t0), {MINUTE_US}) AS cell, avg(value) AS value
                FROM bf1.pts JOIN bf1.runs USING (run) WHERE run IN names AND quality='good' GROUP BY run, channel, cell"""))
        return dense(c["i"], c["j"], c["cell"], c["value"])

    def q7(self):
        one = f"run='{RUN}' AND channel='{CHANNEL}'"
        return self.ask(f"""WITH (SELECT max(t) FROM bf1.pts WHERE {one}) AS last,
                            p AS (SELECT toUnixTimestamp64Micro(t) AS us, value FROM bf1.pts
                                  WHERE {one} AND t >= last - toIntervalMicrosecond({DAY_US})),
                            (SELECT min(us) FROM p) AS first, (SELECT max(us)-min(us)+1 FROM p) AS span
                            SELECT intDiv((us-first)*{PIXELS}, span) AS x, min(value) AS low, max(value) AS high FROM p GROUP BY x""")

    def close(self):
        self.db.close()
