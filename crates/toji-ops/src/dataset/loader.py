"""Loads this release: `import loader; loader.pandas("assays")`. Needs pyarrow; numbers come with their mask."""
import json
import pathlib

import pyarrow as pa
import pyarrow.compute
import pyarrow.csv
import pyarrow.parquet

HERE = pathlib.Path(__file__).resolve().parent
TYPES = {"string": pa.string(), "integer": pa.int64(), "number": pa.float64(), "boolean": pa.bool_(), "datetime": pa.timestamp("ns", "UTC")}


def table(name):
    """'runs', 'assays', 'splits' ..., or 'series' as stored, or 'values' and 'mask' on the grid: an Arrow table."""
    known = json.loads((HERE / "datapackage.json").read_text("utf-8"))["resources"]
    found = [r for r in known if r["name"] == name or (name == "series" and r["name"].startswith("series-"))]
    if not found:
        raise KeyError(f"{name}: choose from {sorted(r['name'] for r in known)}")
    if found[0]["format"] == "parquet":
        return pa.concat_tables([pa.parquet.read_table(HERE / r["path"]) for r in found]).unify_dictionaries()
    types = {f["name"]: TYPES[f["type"]] for f in found[0]["schema"]["fields"]}
    convert = pa.csv.ConvertOptions(column_types=types, null_values=[""], strings_can_be_null=True)
    return pa.csv.read_csv(HERE / found[0]["path"], convert_options=convert, parse_options=pa.csv.ParseOptions(newlines_in_values=True))


def pandas(name):
    return table(name).to_pandas()


def polars(name):
    import polars as pl

    return pl.from_arrow(table(name))


def torch(split="train"):
    """One (run, values, mask) a run: tensors of time x column, NaN where nothing was known, mask 1 where it was measured."""
    import numpy as np
    import torch as t

    def tensor(rows, dtype):
        array = np.column_stack([rows[c].to_numpy() for c in rows.column_names[3:]])
        return t.frombuffer(np.ascontiguousarray(array), dtype=dtype).reshape(array.shape)

    values, mask, out = table("values"), table("mask"), []
    part = pa.compute.equal(values["split"].cast(pa.string()), split)
    runs = values["run"].cast(pa.string())
    for run in sorted(set(runs.filter(part).to_pylist())):
        keep = pa.compute.equal(runs, run)
        out.append((run, tensor(values.filter(keep), t.float64), tensor(mask.filter(keep), t.uint8)))
    return out
