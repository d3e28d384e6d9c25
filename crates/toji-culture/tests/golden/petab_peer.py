"""−2 ln L of exported problems at their nominal parameters by others: `python petab_peer.py FOLDER…`.

The tables are read here, libSBML puts the condition of a run into the document, libRoadRunner simulates it. Beside it:
nominal.txt, by this crate. pip install petab libroadrunner
"""

import math
import sys
from pathlib import Path

import libsbml
import pandas as pd
import petab
import roadrunner
import yaml


def simulate(model, sets, times, ids):
    """Values of quantities at times; the values of constants are put into the document, before anything follows from them."""
    document = libsbml.readSBMLFromFile(str(model))
    for name, value in sets.items():
        document.getModel().getParameter(name).setValue(value)
    rr = roadrunner.RoadRunner(libsbml.writeSBMLToString(document))
    rr.setIntegrator("cvode")
    rr.integrator.relative_tolerance = 1e-10
    rr.integrator.absolute_tolerance = 1e-13
    rr.integrator.maximum_num_steps = 200000
    found = {}
    now = 0.0
    for time in sorted({0.0, *times}):
        if time > now:
            rr.simulate(now, time, 2)
            now = time
        found[time] = {name: rr.getValue(name) for name in ids}
    return found


def number(text, parameters):
    try:
        return float(text)
    except ValueError:
        return parameters[text]


def minus_two_log(folder):
    """−2 ln L at the nominal parameters."""
    root = next(p for p in sorted(Path(folder).glob("*.yaml")))
    second = str(yaml.safe_load(root.read_text())["format_version"]).startswith("2")
    read = lambda name: pd.read_csv(Path(folder) / name, sep="\t", dtype=str, keep_default_na=False)
    parameters = {r.parameterId: float(r.nominalValue) for r in read("parameters.tsv").itertuples()}
    observables = {r.observableId: r.observableFormula for r in read("observables.tsv").itertuples()}
    measurements = read("measurements.tsv")
    conditions = {}
    if second:
        table = read("conditions.tsv")
        for row in read("experiments.tsv").itertuples():
            rows = table[table.conditionId == row.conditionId]
            conditions[row.experimentId] = dict(zip(rows.targetId, rows.targetValue))
        by = "experimentId"
    else:
        for _, row in read("conditions.tsv").iterrows():
            conditions[row.conditionId] = {k: v for k, v in row.items() if k not in ("conditionId", "conditionName")}
        by = "simulationConditionId"
    text = (Path(folder) / "model.xml").read_text()
    total = 0.0
    for key, rows in measurements.groupby(by):
        sets = {name: value for name, value in parameters.items() if f'id="{name}"' in text}
        sets |= {name: number(value, parameters) for name, value in conditions[key].items()}
        times = [float(t) for t in rows.time]
        found = simulate(Path(folder) / "model.xml", sets, times, sorted(set(observables.values())))
        for row in rows.itertuples():
            sd = number(row.noiseParameters, parameters)
            z = (float(row.measurement) - found[float(row.time)][observables[row.observableId]]) / sd
            total += math.log(2 * math.pi * sd * sd) + z * z
    return total


print(f"petab {petab.__version__}, libroadrunner {roadrunner.__version__}")
for folder in sys.argv[1:]:
    own = float((Path(folder) / "nominal.txt").read_text())
    peer = minus_two_log(folder)
    print(f"{Path(folder).name}: here {own:.9f}, there {peer:.9f}, apart {abs(own - peer) / abs(own):.1e}")
