#!/usr/bin/env python3
"""A plant on MQTT and OPC UA while things break: every acknowledged point must be stored once.

A broker (mosquitto), a Toji server, a collector at the edge with its forward buffer, and 24 simulated reactors of
20 channels. Meanwhile the broker is killed and restarted, the network between collector and broker is cut (silently,
then for good), and the server is killed and restarted. At the end the points are counted and the figures printed.

    scripts/soak-live.py --minutes 10               24 reactors, 1 Hz, real time
    scripts/soak-live.py --minutes 48 --speed 30    a whole day on the same 1 s grid, that ends about now

Faster than real time outages last half an hour of the day, and the broker is ended, not killed, and saves its queue only
then: it stands still while it saves, some hundred megabytes after an outage, and what it had taken and not saved would
be its loss, not ours.

What OPC UA says while nobody listens is gone, as it must be; at speed 1 every such point must lie in an outage that
the marks of the run tell. Faster than real time device clocks and ours differ, and only the counts mean something.
"""

import argparse
import datetime
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
CHANNELS = 20

PROXY = """
import socket, sys, threading
def pump(a, b):
    try:
        while data := a.recv(65536):
            b.sendall(data)
    except OSError:
        pass
    for s in (a, b):
        try: s.shutdown(socket.SHUT_RDWR)
        except OSError: pass
listener = socket.create_server(("127.0.0.1", int(sys.argv[1])))
while True:
    client, _ = listener.accept()
    try:
        server = socket.create_connection(("127.0.0.1", int(sys.argv[2])))
    except OSError:
        client.close()
        continue
    for pair in ((client, server), (server, client)):
        threading.Thread(target=pump, args=pair, daemon=True).start()
"""


def free_port() -> int:
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def wait_for(port: int) -> None:
    for _ in range(600):
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
            return
        except OSError:
            time.sleep(0.1)
    sys.exit(f"nobody listens on port {port}")


class Process:
    """A child that can be killed and started again; its use of the machine is added up over its lives."""

    def __init__(self, name, command, log, port=None):
        self.name, self.command, self.log, self.port = name, command, log, port
        self.cpu_s, self.peak_kb, self.lived_s = 0.0, 0, 0.0
        self.start()

    def start(self):
        self.child = subprocess.Popen(self.command, stdout=open(f"{self.log}.out", "ab"), stderr=open(f"{self.log}.err", "ab"))
        self.born = time.monotonic()
        if self.port:
            wait_for(self.port)

    def measure(self):
        pid = self.child.pid
        try:
            fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
            status = Path(f"/proc/{pid}/status").read_text()
        except OSError:
            return 0.0
        for line in status.splitlines():
            if line.startswith("VmHWM"):
                self.peak_kb = max(self.peak_kb, int(line.split()[1]))
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def end(self, how=signal.SIGKILL, wait=60):
        self.cpu_s += self.measure()
        self.lived_s += time.monotonic() - self.born
        self.child.send_signal(how)
        try:
            self.child.wait(wait)
        except subprocess.TimeoutExpired:
            self.child.kill()
            self.child.wait()

    def figures(self):
        return {"cpu_cores": round(self.cpu_s / max(self.lived_s, 1), 3), "peak_mb": round(self.peak_kb / 1024, 1)}


SQL = "SELECT run, key, count(*) AS points, count(DISTINCT time) AS times FROM series GROUP BY run, key"


MARKS = "SELECT run, time, fields FROM event WHERE fields LIKE '%\"mark\"%' ORDER BY run, time"
TIMES = "SELECT run, time FROM series WHERE variable = 'temperature' AND key LIKE '%PV' ORDER BY run, time"


def rows(toji, query):
    """Rows of a query as dictionaries."""
    answer = subprocess.run([*toji, "--json", "sql", query, "--limit", "10000000"], capture_output=True, text=True)
    if answer.returncode:
        sys.exit(answer.stderr)
    answer = json.loads(answer.stdout)
    names = [c["name"] for c in answer["columns"]]
    return [dict(zip(names, row)) for row in answer["rows"]]


def seconds(text):
    return datetime.datetime.fromisoformat(str(text).replace("Z", "+00:00")).timestamp()


def unmarked(toji):
    """Steps of more than 1.5 s between neighbours of a channel that no outage of the run's marks explains."""
    outages = {}
    for row in rows(toji, MARKS):
        kind = json.loads(row["fields"])["mark"] if isinstance(row["fields"], str) else row["fields"]["mark"]
        known = outages.setdefault(row["run"], [])
        if kind in ("disconnected", "death", "lost"):
            known.append([seconds(row["time"]), float("inf") if kind != "lost" else seconds(row["time"])])
        else:
            for outage in known:
                outage[1] = min(outage[1], seconds(row["time"]))
    last, steps, bad = {}, 0, []
    for row in rows(toji, TIMES):
        t = seconds(row["time"])
        before = last.get(row["run"])
        last[row["run"]] = t
        if before is None or t - before <= 1.5:
            continue
        steps += 1
        # A mark is by our clock and comes with the note of a second before: three seconds of grace at either end.
        if not any(a - 3 <= before + 1 and t - 1 <= b + 3 for a, b in outages.get(row["run"], [])):
            bad.append({"run": row["run"], "from_s": before, "missing_s": round(t - before - 1, 3)})
    return {"gaps": steps, "gaps_without_mark": bad[:20], "runs_with_marks": len(outages)}


def count(answer, frames, reactors):
    """Points stored against points said: 20 channels a frame, each once."""
    twice = sum(int(r["points"]) - int(r["times"]) for r in answer)
    by_run = {}
    for row in answer:
        if "clock" not in row["key"]:
            run = by_run.setdefault(row["run"], [0, 0])
            run[0] += int(row["points"])
            run[1] += 1
    expected = {p: s["frames"] // reactors * CHANNELS for p, s in frames.items()}
    stored = sorted(points for points, _ in by_run.values())
    return {
        "runs": len(by_run), "points_stored": sum(stored), "stored_twice": twice,
        "points_a_run_said": expected, "points_a_run_stored": stored,
        "mqtt_exactly_once": sum(1 for p in stored if p == expected.get("mqtt")) >= reactors and twice == 0,
    }


def main() -> int:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--minutes", type=float, default=10)
    options.add_argument("--reactors", type=int, default=24)
    options.add_argument("--speed", type=float, default=1)
    options.add_argument("--toji", default=str(ROOT / "target/debug/toji"))
    options.add_argument("--keep", action="store_true", help="keep the folder")
    it = options.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="toji-soak-"))
    store = folder / "store"
    toji = [it.toji, "--store", str(store)]
    mosquitto = shutil.which("mosquitto", path=os.environ["PATH"] + ":/usr/sbin")
    if not mosquitto:
        sys.exit("mosquitto is not installed: scripts/setup.sh test")
    subprocess.run([*toji, "init"], check=True, stdout=subprocess.DEVNULL)
    ports = {name: free_port() for name in ("broker", "proxy", "opcua", "http")}

    conf = folder / "mosquitto.conf"
    conf.write_text(
        f"listener {ports['broker']} 127.0.0.1\nallow_anonymous true\npersistence true\npersistence_location {folder}/\n"
        + ("autosave_on_changes true\nautosave_interval 100\n" if it.speed == 1 else "autosave_interval 0\n")
        + "max_queued_messages 0\nmax_inflight_messages 200\nlog_dest none\n"
        + ("user root\n" if os.getuid() == 0 else "")
    )
    lasts = it.minutes * 60 * it.speed
    simulate = [
        *toji, "--json", "simulate", "fermenter", "--speak", "mqtt", "--speak", "opcua", "--reactors", str(it.reactors),
        "--mqtt-port", str(ports["broker"]), "--opcua-port", str(ports["opcua"]), "--speed", str(it.speed),
        "--lasts-s", str(lasts), "--twice-every", "50", "--swap-every", "30",
    ]
    if it.speed > 1:
        start = datetime.datetime.now(datetime.timezone.utc) - datetime.timedelta(seconds=lasts - it.minutes * 60 + 30)
        simulate += ["--start", start.isoformat(timespec="seconds").replace("+00:00", "Z")]
    dry = json.loads(subprocess.run([*simulate, "--dry-run"], check=True, capture_output=True, text=True).stdout)
    collect = folder / "edge.toml"
    collect.write_text(
        f'[server]\nurl = "http://127.0.0.1:{ports["http"]}"\nbuffer = "forward"\n'
        + dry["config"].replace(f"port = {ports['broker']}", f"port = {ports['proxy']}")
    )

    broker = Process("broker", [mosquitto, "-c", str(conf)], folder / "broker", ports["broker"])
    server = Process("server", [*toji, "serve", "--address", f"127.0.0.1:{ports['http']}"], folder / "server", ports["http"])
    cut = Process("network", [sys.executable, "-c", PROXY, str(ports["proxy"]), str(ports["broker"])], folder / "proxy", ports["proxy"])
    edge_store = folder / "edge-store"
    subprocess.run([it.toji, "--store", str(edge_store), "init"], check=True, stdout=subprocess.DEVNULL)
    edge = Process("collector", [it.toji, "--store", str(edge_store), "--json", "live", "collect", str(collect)], folder / "edge")
    time.sleep(3)
    began = time.monotonic()
    plant = Process("plant", simulate, folder / "plant")
    length = it.minutes * 60

    def at(share, away=0.0):
        """Waits for a share of the length; `away`: for the end of an outage that long, or of half an hour of the day."""
        share -= max(0.0, away - 1800 / lasts) if it.speed > 1 else 0.0
        time.sleep(max(0.0, began + share * length - time.monotonic()))
        for process in (broker, server, edge, plant):
            process.measure()

    at(0.15); print("broker killed", flush=True); broker.end(signal.SIGKILL if it.speed == 1 else signal.SIGTERM)
    at(0.20, 0.05); broker.start(); print("broker back", flush=True)
    at(0.30); print("network cut, silently", flush=True); os.kill(cut.child.pid, signal.SIGSTOP)
    at(0.40, 0.10); os.kill(cut.child.pid, signal.SIGCONT); cut.end(); cut.start(); print("network back", flush=True)
    at(0.50); print("server killed", flush=True); server.end()
    at(0.60, 0.10); server.start(); print("server back", flush=True)
    at(0.70); print("collector killed", flush=True); edge.end(); edge.start()
    at(0.80); print("server killed again", flush=True); server.end(); server.start()
    at(1.00)
    # A plant that could not keep its speed beside everything else still says all it has to say.
    try:
        plant.child.wait(length)
    except subprocess.TimeoutExpired:
        sys.exit(f"the plant is not done after twice the time, see {folder}/plant.err: lower --speed")
    elapsed = time.monotonic() - began
    plant.end(signal.SIGINT)
    said = json.loads((folder / "plant.out").read_text())
    frames = {s["protocol"]: s for s in said["spoken"]}

    # The collector takes what still waits at the broker and hands it on: done when ten seconds bring nothing.
    last, quiet = None, 0
    for _ in range(900):
        time.sleep(1)
        segments = sorted((folder / "forward").glob("*.tojifwd"))
        position = folder / "forward" / "position"
        done = position.read_text().split() if position.exists() else ["1", "8"]
        now = (segments[-1].name, segments[-1].stat().st_size) if segments else None
        handed_on = segments and int(segments[-1].stem) == int(done[0]) and segments[-1].stat().st_size <= int(done[1])
        quiet = quiet + 1 if handed_on and now == last else 0
        last = now
        if quiet >= 10:
            break
    time.sleep(5)
    edge.end(signal.SIGINT)
    server.end(signal.SIGINT)
    broker.end()
    cut.end()
    # Every point of every run, and how many distinct times a channel has: a point kept twice would show.
    verdict = count(rows(toji, SQL), frames, it.reactors)
    if it.speed == 1:
        verdict |= unmarked(toji)
    report = {
        "reactors": it.reactors, "channels": CHANNELS, "real_s": round(elapsed, 1), "simulated_s": said["elapsed_s"],
        "speed": it.speed, "said": frames, **verdict,
        "server": server.figures(), "collector": edge.figures(), "plant": plant.figures(),
    }
    print(json.dumps(report, indent=1))
    if not it.keep:
        shutil.rmtree(folder)
    else:
        print(folder)
    return 0


sys.exit(main())
