"""PostgreSQL: a private cluster in a temporary folder, loopback only; COPY, one covering index."""

import os
import shutil
import socket
import subprocess
import tempfile
from pathlib import Path

import numpy as np
import psycopg

from base import Base, dense
from workload import (CHANNEL, DAY_US, FIVE_MINUTES_US, MINUTE_US, PIXELS, RUN, TENSOR_RUNS)

SETTINGS = {
    "listen_addresses": "127.0.0.1", "fsync": "on", "synchronous_commit": "on", "wal_level": "minimal", "max_wal_senders": "0",
    "max_wal_size": "8GB", "shared_buffers": "1GB", "work_mem": "256MB", "maintenance_work_mem": "512MB", "jit": "off",
    "random_page_cost": "1.1", "timezone": "UTC",
}
US = "(extract(epoch FROM {})*1000000)::bigint"


def binaries():
    """The newest server that Debian installed."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda p: int(p.parts[-3]))
    if not found:
        raise SystemExit("PostgreSQL is not installed: apt-get install postgresql-15")
    return found[-1].parent


class Peer(Base):
    layout = "COPY into one table, index (run, channel, t) INCLUDE (value, quality), VACUUM ANALYZE; fsync on"

    def __init__(self, work, meter):
        super().__init__(work, meter)
        self.bin = binaries()
        # The server refuses to run as root; its own account must reach the folder.
        self.top = Path(tempfile.mkdtemp(prefix="bf1-pg-"))
        self.as_owner = ["runuser", "-u", "postgres", "--"] if os.geteuid() == 0 else []
        if self.as_owner:
            shutil.chown(self.top, "postgres")
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        self.call("initdb", "-D", self.top / "data", "-U", "bench", "-A", "trust", "-E", "UTF8", "--locale=C")
        with (self.top / "data" / "postgresql.conf").open("a") as conf:
            conf.writelines(f"{k} = '{v}'\n" for k, v in {**SETTINGS, "port": self.port, "unix_socket_directories": self.top}.items())
        self.call("pg_ctl", "-D", self.top / "data", "-l", self.top / "log", "-w", "start")
        self.meter.servers.append(int((self.top / "data" / "postmaster.pid").read_text().split()[0]))
        self.db = psycopg.connect(host="127.0.0.1", port=self.port, user="bench", dbname="postgres", autocommit=True)

    def call(self, program, *arguments):
        subprocess.run([*self.as_owner, str(self.bin / program), *map(str, arguments)], check=True, stdout=subprocess.DEVNULL, cwd="/")

    def version(self):
        return self.db.execute("SHOW server_version").fetchone()[0]

    def copy(self, table, file, freeze=""):
        with open(file, "rb") as source, self.db.cursor().copy(f"COPY {table} FROM STDIN WITH (FORMAT csv, HEADER{freeze})") as copy:
            while chunk := source.read(1 << 20):
                copy.write(chunk)

    def ingest(self, series, samples):
        run = self.db.execute
        with self.db.transaction():
            run("CREATE TABLE pts (run text, channel text, t timestamptz, value float8, quality text)")
            for file in series:
                self.copy("pts", file, ", FREEZE")
        run("CREATE INDEX pts_key ON pts (run, channel, t) INCLUDE (value, quality)")
        run("CREATE TABLE assays (run text, sample text, t timestamptz, analyte text, value text, unit text)")
        self.copy("assays", samples)
        run("CREATE TABLE samples AS SELECT DISTINCT run, sample, t FROM assays")
        run("CREATE TABLE channels AS SELECT run, channel, min(t) AS t0, max(t) AS t1 FROM pts GROUP BY run, channel")
        run("CREATE TABLE runs AS SELECT run, min(t0) AS t0 FROM channels GROUP BY run")
        run("VACUUM ANALYZE")
        run("CHECKPOINT")

    def points(self):
        return self.db.execute("SELECT count(*) FROM pts").fetchone()[0]

    def bytes(self):
        return self.db.execute("SELECT pg_total_relation_size('pts')").fetchone()[0]

    def columns(self, answer):
        names, rows = answer
        return dict(zip(names, (np.array(c) for c in zip(*rows))))

    def check_q3(self, answer):
        names, rows = answer
        return super().check_q3((names, [[*r[:-1], float("nan") if r[-1] is None else r[-1]] for r in rows]))

    def ask(self, sql):
        cursor = self.db.cursor(binary=True)
        cursor.execute(sql)
        return [c.name for c in cursor.description], cursor.fetchall()

    def q1(self):
        return self.ask(f"SELECT t, value, quality FROM pts WHERE run='{RUN}' AND channel='{CHANNEL}' ORDER BY t")

    def q2(self):
        return self.ask(f"""SELECT channel, {US.format('t')}/{MINUTE_US} AS cell, avg(value) AS value FROM pts
                            WHERE run='{RUN}' AND quality='good' GROUP BY 1, 2""")

    def q3(self):
        return self.ask("""SELECT s.run, s.sample, c.channel, p.value FROM samples s JOIN channels c USING (run)
                           LEFT JOIN LATERAL (SELECT value FROM pts WHERE pts.run=s.run AND pts.channel=c.channel
                           AND pts.t <= s.t AND quality='good' ORDER BY pts.t DESC LIMIT 1) p ON true""")

    def q4(self):
        return self.ask(f"""SELECT r.run, ({US.format('t')}-{US.format('t0')})/{FIVE_MINUTES_US} AS cell, avg(value) AS value
                            FROM runs r JOIN pts ON pts.run=r.run AND channel='{CHANNEL}' WHERE quality='good' GROUP BY 1, 2""")

    def q5(self):
        return self.ask("""SELECT c.run, c.channel, p.t, p.value FROM channels c CROSS JOIN LATERAL (SELECT t, value FROM pts
                           WHERE pts.run=c.run AND pts.channel=c.channel AND quality='good' ORDER BY t DESC LIMIT 1) p""")

    def q6(self):
        runs = ",".join(f"('{r}',{i})" for i, r in enumerate(TENSOR_RUNS))
        c = self.columns(self.ask(
            f"""SELECT i, j, ({US.format('t')}-{US.format('t0')})/{MINUTE_US} AS cell, avg(value) AS value
                FROM (VALUES {runs}) r(run, i) JOIN runs USING (run) JOIN pts USING (run)
                JOIN (SELECT channel, row_number() OVER (ORDER BY channel)-1 AS j FROM (SELECT DISTINCT channel FROM channels) d) k USING (channel)
                WHERE quality='good' GROUP BY 1, 2, 3"""))
        return dense(c["i"], c["j"], c["cell"], c["value"].astype(float))

    def q7(self):
        return self.ask(f"""WITH p AS (SELECT {US.format('t')} AS us, value FROM pts WHERE run='{RUN}' AND channel='{CHANNEL}'
                            AND t >= (SELECT t1 FROM channels WHERE run='{RUN}' AND channel='{CHANNEL}') - interval '{DAY_US} microseconds'),
                            w AS (SELECT min(us) AS first, max(us)-min(us)+1 AS span FROM p)
                            SELECT (us-first)*{PIXELS}/span AS x, min(value) AS low, max(value) AS high FROM p, w GROUP BY 1""")

    def close(self):
        self.db.close()
        self.call("pg_ctl", "-D", self.top / "data", "-m", "fast", "-w", "stop")
        shutil.rmtree(self.top, ignore_errors=True)
