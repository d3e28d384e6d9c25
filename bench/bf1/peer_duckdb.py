"""DuckDB: one table sorted by run, channel and time, one of samples, one of runs; ASOF JOIN."""

import duckdb

from base import Base, dense
from workload import (CHANNEL, DAY_US, FIVE_MINUTES_US, MINUTE_US, PIXELS, RUN, TENSOR_RUNS)

TYPES = "{'run':'VARCHAR','channel':'VARCHAR','t':'TIMESTAMP','value':'DOUBLE','quality':'VARCHAR'}"


class Peer(Base):
    layout = "table sorted by (run, channel, t), checkpointed; runs and samples beside it"

    def version(self):
        return duckdb.__version__

    def ingest(self, series, samples):
        self.path = self.work / "bf1.duckdb"
        self.db = duckdb.connect(str(self.path))
        run = self.db.execute
        run("SET TimeZone='UTC'")
        files = "[" + ",".join(f"'{f}'" for f in series) + "]"
        run(f"""CREATE TABLE pts AS SELECT * FROM read_csv({files}, header=true, columns={TYPES},
                auto_detect=false, delim=',', quote='', escape='') ORDER BY run, channel, t""")
        run(f"""CREATE TABLE assays AS SELECT * FROM read_csv('{samples}', header=true, columns={{'run':'VARCHAR',
                'sample':'VARCHAR','time':'TIMESTAMP','analyte':'VARCHAR','value':'VARCHAR','unit':'VARCHAR'}})""")
        run("CREATE TABLE samples AS SELECT DISTINCT run, sample, time AS t FROM assays ORDER BY run, t")
        run("CREATE TABLE runs AS SELECT run, min(t) AS t0 FROM pts GROUP BY run")
        run("CREATE TABLE channels AS SELECT DISTINCT run, channel FROM pts ORDER BY ALL")
        run("CHECKPOINT")

    def points(self):
        return self.db.execute("SELECT count(*) FROM pts").fetchone()[0]

    def bytes(self):
        return self.path.stat().st_size

    def columns(self, answer):
        return answer

    def ask(self, sql):
        return self.db.execute(sql).fetchnumpy()

    def q1(self):
        return self.ask(f"SELECT t, value, quality FROM pts WHERE run='{RUN}' AND channel='{CHANNEL}' ORDER BY t")

    def q2(self):
        return self.ask(f"""SELECT channel, epoch_us(t)//{MINUTE_US} AS cell, avg(value) AS value FROM pts
                            WHERE run='{RUN}' AND quality='good' GROUP BY ALL""")

    def q3(self):
        return self.ask("""WITH ask AS (SELECT s.run, s.sample, s.t, c.channel FROM samples s JOIN channels c USING (run))
                           SELECT a.run, a.sample, a.channel, p.t, p.value FROM ask a
                           ASOF LEFT JOIN (SELECT * FROM pts WHERE quality='good') p
                           ON a.run=p.run AND a.channel=p.channel AND a.t>=p.t""")

    def q4(self):
        return self.ask(f"""SELECT run, (epoch_us(t)-epoch_us(t0))//{FIVE_MINUTES_US} AS cell, avg(value) AS value
                            FROM pts JOIN runs USING (run) WHERE channel='{CHANNEL}' AND quality='good' GROUP BY ALL""")

    def q5(self):
        return self.ask("""SELECT run, channel, max(t) AS t, arg_max(value, t) AS value FROM pts
                           WHERE quality='good' GROUP BY run, channel""")

    def q6(self):
        runs = ",".join(f"('{r}',{i})" for i, r in enumerate(TENSOR_RUNS))
        c = self.ask(f"""WITH r(run, i) AS (VALUES {runs}),
                         k AS (SELECT channel, row_number() OVER (ORDER BY channel)-1 AS j FROM (SELECT DISTINCT channel FROM channels))
                         SELECT i, j, (epoch_us(t)-epoch_us(t0))//{MINUTE_US} AS cell, avg(value) AS value
                         FROM pts JOIN r USING (run) JOIN runs USING (run) JOIN k USING (channel)
                         WHERE quality='good' GROUP BY ALL""")
        return dense(c["i"], c["j"], c["cell"], c["value"])

    def q7(self):
        return self.ask(f"""WITH p AS (SELECT epoch_us(t) AS us, value FROM pts WHERE run='{RUN}' AND channel='{CHANNEL}'
                            AND t >= (SELECT max(t) FROM pts WHERE run='{RUN}' AND channel='{CHANNEL}') - INTERVAL {DAY_US} MICROSECOND),
                            w AS (SELECT min(us) AS first, max(us)-min(us)+1 AS span FROM p)
                            SELECT (us-first)*{PIXELS}//span AS x, min(value) AS low, max(value) AS high FROM p, w GROUP BY ALL""")

    def close(self):
        self.db.close()
