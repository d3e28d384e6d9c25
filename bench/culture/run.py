#!/usr/bin/env python3
"""Culture models: Toji beside SciPy, libRoadRunner, CVODE, diffsol, BoTorch and do-mpc, in one run on one machine.

    python3 bench/culture/run.py                          # everything, best of 3 rounds
    python3 bench/culture/run.py --rounds 1 --only sim,fit
    python3 bench/culture/run.py --only bo --bo-seeds 20 --no-install

Installs the peers into target/culture, builds ours, runs each side in a process of its own on one thread, compares what
came out and prints ratios. Nothing is asserted about time.
"""

import argparse
import datetime
import json
import os
import platform
import shutil
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent
WORK = Path(os.environ.get("CULTURE_WORK", ROOT / "target" / "culture"))
PARTS = ["sim", "fit", "bo", "nmpc"]
EXAMPLES = ["bench_sim", "bench_fit", "regret", "nmpc"]
# Relative and absolute tolerances. Peers are asked for the usual ones; ours for all of these, so that it can be compared at an
# error that is no worse than the peer's.
PEERS_AT = (1e-6, 1e-9)
OURS_AT = [f"{relative:g}:{relative * share:g}" for share in (1e-4, 3e-4, 1e-3, 1e-1) for relative in (1e-4, 3e-5, 2e-5, 1e-5, 7e-6, 5e-6, 4e-6, 3e-6, 1e-6)]
KEEP = 16
# Peers that are far behind are given fewer simulations; seconds are those of all, in proportion.
FEWER = {"scipy": 500}
DIFFSOL = ["bdf", "tr-bdf2", "esdirk34"]
SUNDIALS = ["libsundials_cvode.a", "libsundials_sunlinsoldense.a", "libsundials_sunmatrixdense.a", "libsundials_nvecserial.a", "libsundials_generic.a"]


def environment():
    """One thread everywhere; BLAS tuned by its own detection."""
    kept = {k: v for k, v in os.environ.items() if k not in ("OPENBLAS_CORETYPE", "OPENBLAS_L2_SIZE")}
    one = {name: "1" for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS", "RAYON_NUM_THREADS")}
    return {**kept, **one, "PYTHONDONTWRITEBYTECODE": "1", "PYTHONUNBUFFERED": "1"}


def say(text):
    print(f"[culture {datetime.datetime.now():%H:%M:%S}] {text}", flush=True)


def run(*command, more_environment=None):
    given = {**environment(), **(more_environment or {})}
    done = subprocess.run([str(c) for c in command], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=given)
    if done.returncode != 0:
        raise RuntimeError(f"{Path(str(command[0])).name} {command[1] if len(command) > 1 else ''}: {done.stderr[-600:]}")
    return done.stdout


def install():
    """The pinned peers in a virtual environment."""
    venv, wanted = WORK / "venv", (HERE / "peers.txt").read_text()
    stamp = venv / "peers.txt"
    if not stamp.exists() or stamp.read_text() != wanted:
        say("installing the peers (BoTorch brings PyTorch: some 5 GB)")
        subprocess.run([sys.executable, "-m", "venv", str(venv)], check=True)
        subprocess.run([str(venv / "bin/pip"), "install", "--quiet", "--disable-pip-version-check", "-r", str(HERE / "peers.txt")], check=True)
        stamp.write_text(wanted)


def python():
    return WORK / "venv/bin/python"


def cvode():
    """CVODE's static libraries and headers from Debian's libsundials-dev, unpacked and not installed: all that it depends on
    (MPI, PETSc) is not needed here. Compiled with gcc -O3."""
    place, binary = WORK / "sundials", WORK / "cvode"
    if not (place / "usr/include/cvode/cvode.h").exists():
        if not shutil.which("apt-get") or not shutil.which("gcc"):
            return None
        shutil.rmtree(place, ignore_errors=True)
        place.mkdir(parents=True)
        subprocess.run(["apt-get", "download", "-qq", "libsundials-dev"], cwd=place, check=False, stderr=subprocess.DEVNULL)
        for package in place.glob("*.deb"):
            subprocess.run(["dpkg", "-x", package.name, "."], cwd=place, check=True)
    libraries = next(place.glob("usr/lib/*/libsundials_cvode.a"), None)
    if libraries is None:
        return None
    import model

    (WORK / "model.h").write_text(model.c())
    run("gcc", "-O3", "-w", f"-I{place}/usr/include", f"-I{WORK}", "-o", binary, HERE / "cvode.c", f"-L{libraries.parent}", *[f"-l:{x}" for x in SUNDIALS], "-lm")
    return binary


def diffsol():
    """diffsol (Rust), its equations compiled into it, with link-time optimisation."""
    import model

    (WORK / "model.rs").write_text(model.rust())
    run("cargo", "build", "--release", "--quiet", "--locked", "--manifest-path", HERE / "diffsol/Cargo.toml", "--target-dir", WORK / "diffsol",
        more_environment={"CULTURE_MODEL": str(WORK / "model.rs")})
    return WORK / "diffsol/release/culture-diffsol"


def examples():
    """Where our examples are: in CULTURE_TOJI, or where cargo puts them."""
    return Path(os.environ.get("CULTURE_TOJI", Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target")) / "release/examples"))


def build():
    """Our side: examples of toji-culture in release mode."""
    if "CULTURE_TOJI" not in os.environ:
        wanted = [word for name in EXAMPLES for word in ("--example", name)]
        subprocess.run(["cargo", "build", "--release", "-p", "toji-culture", *wanted], cwd=ROOT, check=True)
    return examples()


def settings(n):
    """The same constants for everybody: ± 20 %, log-uniform, seeded; the first are the model's own."""
    import random

    import model

    chance, path = random.Random(11), WORK / f"settings-{n}.csv"
    rows = [list(model.PARAMETERS.values())]
    while len(rows) < n:
        rows.append([v * 1.2 ** chance.uniform(-1.0, 1.0) for v in model.PARAMETERS.values()])
    path.write_text("\n".join([",".join(model.PARAMETERS), *[",".join(repr(v) for v in row) for row in rows]]) + "\n")
    return path


def errors(courses, reference):
    """Greatest error of any state over the course, as a share of its greatest value (instants of events left out, where some
    report the state before and some after), and relative at the end."""
    import model

    events = {at for at, _ in model.EVENTS}
    rows = [i for i in range(model.OUTPUTS) if i * model.END / (model.OUTPUTS - 1) not in events]
    over, last = 0.0, 0.0
    for one, exact in zip(courses, reference):
        for s in range(8):
            size = max(abs(row[s]) for row in exact)
            over = max(over, max(abs(one[r][s] - exact[r][s]) for r in rows) / size)
            last = max(last, abs(one[-1][s] - exact[-1][s]) / abs(exact[-1][s]))
    return {"error_course": over, "error_end": last}


def sim(result, toji, asked):
    path = settings(asked.sims)
    import model

    truth = WORK / "reference.json"
    key = [model.python(), KEEP, path.read_text().splitlines()[1 : KEEP + 1]]
    known = json.loads(truth.read_text()) if truth.exists() else {}
    if known.get("key") != key:
        say("reference courses (Radau at 1e-10)")
        found = json.loads(run(python(), HERE / "peer_sim.py", "reference", path, KEEP, KEEP, 1e-10, 1e-13))
        known = {"key": key, "courses": found["courses"]}
        truth.write_text(json.dumps(known))
    sides = {"roadrunner": [python(), HERE / "peer_sim.py", "roadrunner"], "scipy": [python(), HERE / "peer_sim.py", "scipy"]}
    if "cvode" in asked.peers and (binary := cvode()):
        sides["cvode"] = [binary]
    if "diffsol" in asked.peers:
        binary = diffsol()
        sides.update({f"diffsol {method}": [binary, method] for method in DIFFSOL})
    found = result.setdefault("sim", {"n": asked.sims, "peers_at": PEERS_AT, "toji": {}, "peers": {}})
    for number in range(asked.rounds):
        say(f"sim, round {number + 1}: toji")
        for one in json.loads(run(toji / "bench_sim", HERE / "fed-batch.toml", path, asked.sims, KEEP, model.END, model.OUTPUTS, *OURS_AT)):
            one.update(errors(one.pop("courses"), known["courses"]))
            better(found["toji"], f"{one['relative']:g}, {one['absolute']:g}", one)
        for name in [n for n in sides if n.split()[0] in asked.peers]:
            say(f"sim, round {number + 1}: {name}")
            n = min(asked.sims, FEWER.get(name, asked.sims))
            # Warnings of the solvers come first.
            one = json.loads(run(*sides[name], path, n, KEEP, *PEERS_AT).splitlines()[-1])
            one.update(errors(one.pop("courses"), known["courses"]))
            one["cpu_s"] *= asked.sims / one["n"]
            better(found["peers"], name, one)


def better(of, name, one):
    """Keeps the round with less CPU time."""
    if name not in of or one["cpu_s"] < of[name]["cpu_s"]:
        of[name] = one


def fit(result, toji, asked):
    data = WORK / "fit.json"
    run(python(), HERE / "peer_fit.py", "data", data)
    found = result.setdefault("fit", {})
    for number in range(asked.rounds):
        say(f"fit, round {number + 1}")
        for name, command in (("toji", [toji / "bench_fit", HERE / "fed-batch.toml", data]), ("scipy", [python(), HERE / "peer_fit.py", "fit", data])):
            starts = json.loads(run(*command))
            known = found.setdefault(name, starts)
            for old, new in zip(known, starts):
                old["cpu_s"] = min(old["cpu_s"], new["cpu_s"])
    points = WORK / "points.json"
    points.write_text(json.dumps([s["at"] for side in ("toji", "scipy") for s in found[side]] + [json.loads(data.read_text())["truth"]]))
    judged = json.loads(run(python(), HERE / "peer_fit.py", "judge", data, points))
    found["chi2_truth"] = judged[-1]
    for place, side in enumerate(("toji", "scipy")):
        for start, chi2 in zip(found[side], judged[place * len(found["toji"]) :]):
            start["chi2"] = chi2


def bo(result, toji, asked):
    found = result.setdefault("bo", {"toji": {}, "botorch": {}})
    cases = ["step", "branin", "hartmann", "noisy"]
    for number in range(asked.rounds):
        for side, command, seeds in (("toji", [toji / "regret"], 20), ("botorch", [python(), HERE / "peer_bo.py"], asked.bo_seeds)):
            # Campaigns give the same every time: only the step, which is timed, is repeated.
            say(f"bo, round {number + 1}: {side}")
            for line in run(*command, seeds, *(cases if number == 0 else ["step"])).splitlines():
                case = json.loads(line)
                name = case["case"].split()[0]
                if name not in found[side] or case.get("seconds_min", 0.0) < found[side][name].get("seconds_min", 0.0):
                    found[side][name] = case


def nmpc(result, toji, asked):
    found = result.setdefault("nmpc", {})
    for number in range(asked.rounds):
        for side, command in (("toji", [toji / "nmpc"]), ("do-mpc", [python(), HERE / "peer_nmpc.py"])):
            say(f"nmpc, round {number + 1}: {side}")
            # CasADi and IPOPT print a banner first.
            lines = [json.loads(line) for line in run(*command).splitlines() if line.startswith("{")]
            one = next(line for line in lines if line["case"] == "one model")
            if side not in found or one["ms_mean"] < found[side]["ms_mean"]:
                found[side] = one


def machine():
    name = next((line.split(":")[1].strip() for line in Path("/proc/cpuinfo").read_text().splitlines() if line.startswith("model name")), platform.machine())
    versions = "import json,importlib.metadata as m;print(json.dumps({n:m.version(n) for n in ['numpy','scipy','numba','libroadrunner','casadi','do-mpc','torch','botorch']}))"
    try:
        peers = json.loads(run(python(), "-c", versions))
    except (RuntimeError, OSError):
        peers = {}
    return {"cpu": name, "cores": os.cpu_count(), "kernel": platform.release(), "load_1min": os.getloadavg()[0], "python": platform.python_version(),
            "rustc": subprocess.run(["rustc", "--version"], capture_output=True, text=True).stdout.strip(), "peers": peers}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=3, help="of each figure the best round counts")
    parser.add_argument("--only", default=",".join(PARTS), help="comma list of " + ", ".join(PARTS))
    parser.add_argument("--sims", type=int, default=10_000, help="simulations of the ensemble")
    parser.add_argument("--bo-seeds", type=int, default=5, help="seeds of BoTorch's campaigns (ours: 20)")
    parser.add_argument("--peers", default="roadrunner,cvode,diffsol,scipy", help="simulators to compare with")
    parser.add_argument("--no-install", action="store_true", help="peers and our examples are there already")
    parser.add_argument("--results", type=Path, default=HERE / "results")
    asked = parser.parse_args()
    asked.peers = asked.peers.split(",")
    WORK.mkdir(parents=True, exist_ok=True)
    if not asked.no_install:
        install()
    toji = examples() if asked.no_install else build()
    result = {"bench": "culture", "date": datetime.datetime.now(datetime.timezone.utc).isoformat(timespec="seconds"), "rounds": asked.rounds, "machine": machine()}
    for part in [p for p in PARTS if p in asked.only.split(",")]:
        try:
            {"sim": sim, "fit": fit, "bo": bo, "nmpc": nmpc}[part](result, toji, asked)
        except (RuntimeError, OSError) as error:
            say(f"{part}: {error}")
            result.setdefault("failed", {})[part] = str(error)
    result["machine"]["load_1min_end"] = os.getloadavg()[0]
    import report

    text = report.markdown(result)
    asked.results.mkdir(parents=True, exist_ok=True)
    stem = asked.results / f"culture-{result['date'][:10]}"
    stem.with_suffix(".json").write_text(json.dumps(result, indent=1, ensure_ascii=False) + "\n")
    stem.with_suffix(".md").write_text(text)
    print(text)


if __name__ == "__main__":
    main()
