"""Validates a release with the official tools of each description, and loads it with its own loader.

Usage: validate-release.py FOLDER. Every check prints one line; the exit code is the number of failures.
RO-Crate's context is taken from the package `rocrate` of its makers, so that no page is asked while validating.
"""
import importlib.metadata
import importlib.util
import json
import logging
import os
import pathlib
import sys
import time

FOLDER = pathlib.Path(sys.argv[1]).resolve()
failures = 0


def check(name, package, work):
    global failures
    start = time.time()
    try:
        found = work()
    except Exception as error:  # A check that breaks is a check that fails.
        found, ok = f"{type(error).__name__}: {error}", False
    else:
        ok = True
    failures += not ok
    version = importlib.metadata.version(package)
    print(f"{'ok  ' if ok else 'FAIL'} {name} ({package} {version}, {time.time() - start:.1f} s): {found}", flush=True)


def croissant():
    import mlcroissant as mlc

    logging.disable(logging.INFO)
    data = mlc.Dataset(jsonld=str(FOLDER / "croissant.json"))
    issues = data.metadata.ctx.issues
    if issues.errors or issues.warnings:
        raise ValueError(issues.report())
    sets = {s.id: sum(1 for _ in data.records(s.id)) for s in data.metadata.record_sets if s.id in ("runs", "assays", "splits", "columns")}
    first = next(iter(data.records("values")))
    return f"Croissant {data.metadata.ctx.conforms_to.value.rsplit('/', 1)[-1]}, no errors, no warnings; records {sets}; {len(first)} fields in values"


def ro_crate():
    import rocrate
    from rocrate_validator import models, services
    from rocrate_validator.utils.http import HttpRequester

    context = json.loads((pathlib.Path(rocrate.__file__).parent / "data" / "ro-crate.jsonld").read_text("utf-8"))
    assert context["@id"] == "https://w3id.org/ro/crate/1.3/context", context["@id"]

    class Answer:
        status_code, headers, text = 200, {"Content-Type": "application/ld+json"}, json.dumps(context)
        from_cache = True

        def json(self):
            return context

    HttpRequester.get = lambda self, url, **_: Answer() if url.startswith(context["@id"]) else (_ for _ in ()).throw(OSError(f"not here: {url}"))
    said, advice = [], set()
    for profile, severity in (("ro-crate-1.3", models.Severity.RECOMMENDED), ("process-run-crate", models.Severity.REQUIRED)):
        settings = services.ValidationSettings(
            rocrate_uri=str(FOLDER), profile_identifier=profile, requirement_severity=severity,
            disable_inherited_profiles_issue_reporting=profile != "ro-crate-1.3",
        )
        result = services.validate(settings)
        issues = result.get_issues()
        wrong = [f"{i.check.identifier}: {i.message}" for i in issues if i.severity >= models.Severity.REQUIRED]
        if wrong:
            raise ValueError("\n  ".join([profile, *wrong[:40]]))
        advice |= {i.message for i in issues}
        said.append(profile)
    # What is only recommended depends on what the manifest says of its creators.
    return f"nothing required is missing under {', '.join(said)}; recommended: {sorted(advice) or 'nothing'}"


def frictionless():
    from frictionless import Package, system

    with system.use_context(trusted=False):
        report = Package(str(FOLDER / "datapackage.json")).validate()
    if not report.valid:
        raise ValueError(report.flatten(["name", "type", "message"])[:10])
    return f"{report.stats['tasks']} resources valid, 0 errors"


spec = importlib.util.spec_from_file_location("loader", FOLDER / "loader.py")
loader = importlib.util.module_from_spec(spec)
spec.loader.exec_module(loader)


def pandas():
    names = [r["name"] for r in json.loads((FOLDER / "datapackage.json").read_text("utf-8"))["resources"] if not r["name"].startswith("series-")]
    rows = {name: len(loader.pandas(name)) for name in [*names, "series"]}
    values, mask = loader.pandas("values"), loader.pandas("mask")
    assert list(values.columns) == list(mask.columns) and len(values) == len(mask)
    # What was measured is there.
    assert not (values[values.columns[3:]].isna().to_numpy() & (mask[mask.columns[3:]].to_numpy() == 1)).any()
    return rows


def polars():
    frame = loader.polars("values")
    series = loader.polars("series")
    return f"values {frame.shape}, series {series.shape}"


def torch():
    import torch as t  # Debian's, where TOJI_TORCH names its place

    found = {part: loader.torch(part) for part in ("train", "validation", "test")}
    runs = [run for part in found.values() for run, _, _ in part]
    assert len(runs) == len(set(runs)), "a run in two parts"
    run, values, mask = found["train"][0]
    assert values.shape == mask.shape and values.dtype == t.float64
    return f"torch {t.__version__}: {[f'{k} {len(v)}' for k, v in found.items()]}, first {tuple(values.shape)}"


check("Croissant", "mlcroissant", croissant)
check("RO-Crate", "roc-validator", ro_crate)
check("Frictionless", "frictionless", frictionless)
check("pandas", "pandas", pandas)
check("Polars", "polars", polars)
if os.environ.get("TOJI_TORCH"):
    sys.path.append(os.environ["TOJI_TORCH"])
if importlib.util.find_spec("torch"):
    check("PyTorch", "pyarrow", torch)
else:
    print("skip PyTorch: not installed (see scripts/validate-release.sh)")
sys.exit(failures)
