"""What other programs make of the files of the fidelity suite, in the form the suite's judge reads.

    python peers.py CASES OUT

CASES holds a folder a case with the file and case.json (written by the suite). One JSON a program goes to OUT.
Nothing is judged here. Every program gets what somebody who knows the file would tell it: separator, lines to skip,
time column and its unit, zone of the site, column of the run or sample.
"""

import datetime as dt
import json
import math
import sys
import tempfile
import warnings
from pathlib import Path

UTC = dt.timezone.utc


def number_or_text(value):
    """A cell as (number, text)."""
    if value is None:
        return None, None
    if isinstance(value, bool):
        return None, str(value).lower()
    if isinstance(value, (int, float)) or hasattr(value, "dtype"):
        try:
            number = float(value)
        except (TypeError, ValueError):
            return None, str(value)
        if math.isinf(number):
            # JSON has no infinity; the largest double is as wrong.
            return math.copysign(sys.float_info.max, number), None
        return (None, None) if math.isnan(number) else (number, None)
    if isinstance(value, (dt.datetime, dt.date, dt.time, dt.timedelta)):
        return None, None if str(value) == "NaT" else str(value)
    return None, str(value)


def is_workbook(path):
    return path.read_bytes()[:4] == b"PK\x03\x04"


SECONDS = {"h": 3600.0, "min": 60.0, "s": 1.0}


class Tables:
    """What pandas and Polars have in common: a frame, melted."""

    def outcome(self, case, path):
        if case["vendor"]:
            return {"not_its_kind": True}
        shape = case["shape"]
        with warnings.catch_warnings(record=True) as told:
            warnings.simplefilter("always")
            header, rows = self.frame(case, path)
            name = shape["time"]
            if name and name not in header:
                raise KeyError(name)
            times = self.times(case, name)
        long = shape["long"]
        observed = []
        for row, at in zip(rows, times):
            cells = dict(zip(header, row))
            who = cells.get(shape["id"]) if shape["id"] else ""
            who = "" if who is None or (isinstance(who, float) and math.isnan(who)) else str(who)
            if long:
                variable, value, unit = long
                number, text = number_or_text(cells.get(value))
                observed.append({"id": who, "what": str(cells.get(variable)), "at": at, "number": number, "text": text,
                                 "unit": None if cells.get(unit) is None else str(cells.get(unit))})
                continue
            for what, cell in cells.items():
                if what == name or (shape["id"] and what == shape["id"]):
                    continue
                number, text = number_or_text(cell)
                if number is not None or text is not None:
                    observed.append({"id": who, "what": str(what), "at": at, "number": number, "text": text})
        # Who tells a reader to skip the lines above a table knows of them.
        skipped = [] if is_workbook(path) else path.read_text(encoding="utf-8", errors="replace").splitlines()[: shape["skip"]]
        known = bool(told) or bool(skipped)
        # A warning of any sort, and what the user left out himself, counts as a mark on everything.
        observed = [{**value, "marked": known} for value in observed]
        return {"observed": observed, "warnings": ["any"] if known else [], "listed": [str(w.message) for w in told] + skipped}


class Pandas(Tables):
    name = "pandas"

    def frame(self, case, path):
        import pandas as pd

        shape = case["shape"]
        if is_workbook(path):
            self.df = pd.read_excel(path, skiprows=shape["skip"])
        else:
            self.df = pd.read_csv(path, sep=shape["separator"], skiprows=shape["skip"])
        return [str(c) for c in self.df.columns], self.df.itertuples(index=False, name=None)

    def times(self, case, column):
        import pandas as pd

        unit = case["shape"]["time_unit"]
        cells = self.df[column]
        if unit == "clock":
            stamps = pd.to_datetime(cells)
            if stamps.dt.tz is None:
                stamps = stamps.dt.tz_localize(case["zone"] or "UTC")
            return [None if pd.isna(s) else {"unix": s.timestamp()} for s in stamps]
        if cells.dtype == object and cells.astype(str).str.contains(":").any():
            return [{"hours": t.total_seconds() / 3600} for t in pd.to_timedelta(cells)]
        return [None if pd.isna(n) else {"hours": float(n) * SECONDS[unit] / 3600} for n in pd.to_numeric(cells)]


class Polars(Tables):
    name = "polars"

    def frame(self, case, path):
        import polars as pl

        shape = case["shape"]
        if is_workbook(path):
            self.df = pl.read_excel(path)
        else:
            self.df = pl.read_csv(path, separator=shape["separator"], skip_rows=shape["skip"], try_parse_dates=True)
        return self.df.columns, self.df.iter_rows()

    def times(self, case, column):
        import polars as pl

        unit, cells = case["shape"]["time_unit"], self.df[column]
        if unit == "clock":
            stamps = cells.str.to_datetime() if cells.dtype == pl.String else cells.cast(pl.Datetime("us"))
            if stamps.dtype.time_zone is None:
                stamps = stamps.dt.replace_time_zone(case["zone"] or "UTC")
            return [None if s is None else {"unix": s.timestamp()} for s in stamps]
        if cells.dtype == pl.Time:
            return [{"hours": (t.hour * 3600 + t.minute * 60 + t.second) / 3600} for t in cells]
        return [None if n is None else {"hours": n * SECONDS[unit] / 3600} for n in cells.cast(pl.Float64)]


class SporeDb:
    name = "sporedb"
    UNITS = {"degC": "Cel", "C": "Cel", "°C": "Cel", "pH": "[pH]", "rpm": "{rev}/min", "%": "%", "g/L": "g/L", "mg/L": "mg/L", "mmol/L": "mmol/L", "mM": "mmol/L"}

    def outcome(self, case, path):
        import sporedb

        if case["vendor"]:
            return {"not_its_kind": True}
        elapsed = case["shape"]["time_unit"] != "clock"
        start = dt.datetime(1970, 1, 1, tzinfo=UTC)
        with tempfile.TemporaryDirectory() as home, warnings.catch_warnings(record=True):
            warnings.simplefilter("always")
            db = sporedb.SporeDB(home)
            read = db.import_excel if is_workbook(path) else db.import_csv
            result = read(path, "batch", inoculation_ts=start) if elapsed else read(path, "batch")
            frame = sporedb.TimeSeriesStore(db._engine if hasattr(db, "_engine") else db.engine).get_telemetry(result.batch_id)
        if frame.empty:
            return {"refused": f"{result.rows_imported} rows imported", "located": True}
        source = {variable: header for header, variable in result.columns_mapped.items()}
        observed = []
        for row in frame.to_dict("records"):
            stamp = row["ts"].to_pydatetime() if hasattr(row["ts"], "to_pydatetime") else row["ts"]
            stamp = stamp if stamp.tzinfo else stamp.replace(tzinfo=UTC)
            at = {"hours": (stamp - start).total_seconds() / 3600} if elapsed else {"unix": stamp.timestamp()}
            number, text = number_or_text(row["value"])
            observed.append({"what": source.get(row["variable"], row["variable"]), "at": at, "number": number, "text": text,
                             "unit": self.UNITS.get(row.get("unit"))})
        told = list(result.warnings)
        return {"observed": observed, "warnings": ["any"] if told else [], "listed": told}


class Allotropy:
    name = "allotropy"
    NAMES = {"glucose": "Gluc", "glutamine": "Gln", "glutamate": "Glu", "lactate": "Lac", "ammonium": "NH4+"}

    def outcome(self, case, path):
        from allotropy.parser_factory import Vendor
        from allotropy.to_allotrope import allotrope_from_file

        if case["vendor"] != "nova-flex2":
            return {"not_its_kind": True}
        document = allotrope_from_file(str(path), Vendor.NOVABIO_FLEX2)
        observed = []
        for measurement in self.measurements(document):
            who = measurement.get("sample document", {}).get("sample identifier", "")
            analyte = measurement.get("analyte document", {}).get("analyte name") or measurement.get("analyte name")
            for key, value in measurement.items():
                if isinstance(value, dict) and "value" in value and "unit" in value:
                    what = self.NAMES.get(str(analyte).lower(), analyte) if analyte else key
                    number, text = number_or_text(value["value"])
                    unit = {"mmol/L": "mmol/L", "g/L": "g/L", "pH": "[pH]"}.get(value["unit"])
                    observed.append({"id": who, "what": what, "number": number, "text": text, "unit": unit})
        return {"observed": observed}

    def measurements(self, node, sample=None):
        if isinstance(node, dict):
            sample = node.get("sample document", sample)
            if "measurement identifier" in node:
                analytes = node.get("analyte aggregate document", {}).get("analyte document", [])
                for analyte in analytes:
                    yield {"sample document": sample or {}, **analyte}
                yield {"sample document": sample or {}, **node}
            for value in node.values():
                yield from self.measurements(value, sample)
        elif isinstance(node, list):
            for value in node:
                yield from self.measurements(value, sample)


class Bletl:
    name = "bletl"

    def outcome(self, case, path):
        if case["vendor"] != "biolector":
            return {"not_its_kind": True}
        import bletl

        data = bletl.parse(str(path))
        observed = []
        for channel in data.values():
            for frame, field in ((channel.value, "value"),):
                for well in frame.columns:
                    observed += [{"id": well, "what": str(getattr(channel, "filterset", field)), "number": float(v)} for v in frame[well]]
        return {"observed": observed}


class Detl:
    name = "detl"

    def outcome(self, case, path):
        if case["vendor"] != "dasware":
            return {"not_its_kind": True}
        import detl

        observed = []
        for number, reactor in detl.parse(str(path)).items():
            for column in reactor.dataframe.columns:
                # It gives the tags names of its own; the truth asks for the temperature.
                what = f"Unit {number}.T{number}.PV" if column == "temperature_pv" else column
                for cell in reactor.dataframe[column]:
                    value, text = number_or_text(cell)
                    if value is not None or text is not None:
                        observed.append({"what": what, "number": value, "text": text})
        return {"observed": observed}


def main(cases, out):
    cases, out = Path(cases), Path(out)
    out.mkdir(parents=True, exist_ok=True)
    for reader in (Pandas(), Polars(), SporeDb(), Allotropy(), Bletl(), Detl()):
        outcomes = {}
        for folder in sorted(p for p in cases.iterdir() if p.is_dir()):
            case = json.loads((folder / "case.json").read_text(encoding="utf-8"))
            try:
                outcomes[case["id"]] = reader.outcome(case, folder / case["file"])
            except Exception as error:  # whatever it is, the user sees that the file was not taken in
                outcomes[case["id"]] = {"refused": f"{type(error).__name__}: {str(error)[:200]}", "located": True}
        (out / f"{reader.name}.json").write_text(json.dumps(outcomes, ensure_ascii=False, indent=1, default=str, allow_nan=False), encoding="utf-8")
        print(f"{reader.name}: {len(outcomes)} cases", file=sys.stderr)


if __name__ == "__main__":
    main(*sys.argv[1:3])
