"""SporeDB: telemetry records through its storage API, one batch a run; only the run that is asked for."""

import csv
import uuid
from datetime import datetime

import sporedb
from sporedb import StorageEngine, TelemetryRecord, TimeSeriesStore

from base import Base
from measure import folder_bytes
from workload import CHANNEL, DAY_US, PIXELS, RUN

NO_QUALITY = "its telemetry has no quality column, so good points cannot be told from flagged ones"


class Peer(Base):
    layout = "its own: one Parquet file a batch, appended by reading and rewriting; only the run of q1 is taken in"
    not_possible = {
        "q2": NO_QUALITY,
        "q3": "get_unified_view joins each result with one sensor of any name: its ASOF JOIN has no key for the variable; " + NO_QUALITY,
        "q4": NO_QUALITY,
        "q5": NO_QUALITY,
        "q6": NO_QUALITY,
    }

    def version(self):
        return sporedb.__version__

    def ingest(self, series, samples):
        self.dir = self.work / "sporedb"
        self.engine = StorageEngine(self.dir)
        self.store = TimeSeriesStore(self.engine)
        self.batch, self.n = uuid.uuid4(), 0
        reactor = RUN.rsplit(" ", 1)[1]
        for file in (f for f in series if f"_{reactor}_" in f):
            with open(file, newline="", encoding="utf-8") as rows:
                records = [TelemetryRecord(batch_id=self.batch, ts=datetime.fromisoformat(r["t"]), variable=r["channel"], value=float(r["value"]))
                           for r in csv.DictReader(rows)]
            self.n += self.store.append_telemetry(records)

    def points(self):
        return self.n

    def bytes(self):
        return folder_bytes(self.dir)

    def q1(self):
        frame = self.store.get_telemetry(self.batch)
        return frame[frame["variable"] == CHANNEL]

    def check_q1(self, frame):
        # Without the count of flagged points: there is none.
        answer = super().check_q1(frame.assign(quality="good"))
        del answer["flagged"]
        return answer

    def columns(self, frame):
        renamed = frame.rename(columns={"ts": "t"})
        return {n: renamed[n].dt.tz_localize(None).to_numpy() if n == "t" else renamed[n].to_numpy() for n in renamed.columns}

    def q7(self):
        frame = self.q1()
        us = frame["ts"].dt.as_unit("us").astype("int64").to_numpy()
        keep = us >= us.max() - DAY_US
        us, value = us[keep], frame["value"][keep]
        return value.groupby((us - us.min()) * PIXELS // (us.max() - us.min() + 1)).agg(low="min", high="max").reset_index()

    def close(self):
        self.engine.close()
