#!/usr/bin/env python3
"""Mixed load on a Toji server, at a fixed rate, over HTTP: latency and memory.

Requests leave at the times of a fixed plan whether or not earlier ones were answered, and a latency counts from the time
a request was due, so that a server which stalls is not spared (no coordinated omission). Only the standard library.

    python3 bench/serve/load.py --toji target/release/toji --seconds 300 --rate 200
    python3 bench/serve/load.py --toji target/release/toji --seconds 3600 --rate 50 --out soak.json

It makes a store of its own: simulated runs of several members, users with roles, an agreement. It serves it, logs in and
asks as an owner's people, as a member and as an outsider; the answers of each are checked to be what they may see.
"""

import argparse
import asyncio
import json
import os
import platform
import random
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

# Seconds without requests before memory at rest is looked at.
REST_S = 15
# Kind of request: weight of one thousand.
MIX = {
    "run list": 180,
    "run show": 120,
    "run plot": 180,
    "record list": 100,
    "search": 100,
    "sql": 60,
    "commons catalogue": 80,
    "commons agreement": 40,
    "record put": 60,
    "live append": 60,
    "refused": 20,
}


class Store:
    """A store with a commons: HOME, and members A and B; B may read what A shares."""

    def __init__(self, toji, folder, runs, hours):
        self.toji, self.dir = toji, Path(folder) / "store"
        self.call("init")
        for organisation in ["HOME", "A", "B"]:
            self.put("organisation", organisation, {"name": organisation, "country": "JP"})
        self.call("commons", "found", "HOME", "--country", "JP")
        keys = {}
        for organisation in ["A", "B"]:
            self.call("commons", "apply", organisation, "--country", "JP", "--reason", "load")
            self.call("commons", "screen", organisation, "--listing", "clear", "--evidence", "none")
            self.call("commons", "decide", organisation, "--approve", "--reason", "load")
            keys[organisation] = Path(folder) / f"{organisation}.key"
            made = self.call("--out", str(keys[organisation]), "commons", "make-key", organisation)
            self.call("commons", "key", organisation, "--key", made["key"])
        self.codes = {}
        for user, organisation, role in [("ada", "A", "scientist"), ("ben", "B", "scientist"), ("hal", "HOME", "operator"), ("adm", "A", "contributor-admin")]:
            self.codes[user] = self.call("user", "invite", user, "--organisation", organisation, "--roles", role)["enrolment_code"]
        self.keys, self.runs, self.hours = keys, runs, hours

    def call(self, *words):
        done = subprocess.run([self.toji, "--store", str(self.dir), "--json", "--quiet", *words], capture_output=True, text=True)
        if done.returncode:
            raise SystemExit(f"{words}: {done.stderr}")
        return json.loads(done.stdout)

    def put(self, kind, id, fields):
        return self.call("record", "put", kind, id, "--fields", json.dumps(fields))


class Client:
    """Connections that are kept open, as browsers do."""

    def __init__(self, port):
        self.port, self.idle = port, []

    async def ask(self, method, path, body=None, token=None):
        reader, writer = self.idle.pop() if self.idle else await asyncio.open_connection("127.0.0.1", self.port)
        data = b"" if body is None else json.dumps(body).encode()
        head = f"{method} /api/v1/{path} HTTP/1.1\r\nhost: 127.0.0.1:{self.port}\r\ncontent-type: application/json\r\n"
        if token:
            head += f"authorization: Bearer {token}\r\n"
        writer.write((head + f"content-length: {len(data)}\r\n\r\n").encode() + data)
        status = int((await reader.readline()).split()[1])
        length, chunked = 0, False
        while (line := (await reader.readline()).strip()):
            name, _, value = line.lower().partition(b":")
            if name == b"content-length":
                length = int(value)
            chunked |= name == b"transfer-encoding" and b"chunked" in value
        if chunked:
            parts = []
            while size := int((await reader.readline()).strip(), 16):
                parts.append(await reader.readexactly(size))
                await reader.readline()
            await reader.readline()
            answer = b"".join(parts)
        else:
            answer = await reader.readexactly(length)
        self.idle.append((reader, writer))
        return status, answer


async def prepare(store, client):
    """Logs the people in, and puts in A's runs over HTTP, so that they are A's."""
    tokens = {}
    for user, code in store.codes.items():
        password = f"a long enough pass phrase of {user}"
        status, answer = await client.ask("POST", "session/enrol", {"user": user, "code": code, "password": password})
        assert status == 200, answer
        status, answer = await client.ask("POST", "session", {"user": user, "password": password, "bearer": True})
        assert status == 200, answer
        tokens[user] = json.loads(answer)["token"]
    made = []
    for n in range(store.runs):
        body = {"name": f"LOAD-{n}", "reactors": 1, "hours": store.hours, "every_s": 10, "seed": n, "operator": True}
        status, answer = await client.ask("POST", "simulate/run", body, tokens["ada"])
        assert status == 200, answer
        made += [run if isinstance(run, str) else run.get("id") or run.get("run") for run in json.loads(answer)["runs"]]
    shared = made[: len(made) // 2]
    status, answer = await client.ask("POST", "commons/share", {"id": "DS-A", "title": "load", "area": "cooperative", "runs": shared}, tokens["adm"])
    assert status == 200, answer
    terms = {"title": "load", "text": "load", "parties": ["A", "B"], "data_sets": ["DS-A"], "from": "2026-01-01T00:00:00Z",
             "until": "2046-01-01T00:00:00Z", "purposes": ["research"], "grants": ["read"]}
    path = store.dir.parent / "terms.json"
    path.write_text(json.dumps(terms))
    store.call("commons", "draft", "AG", "--terms", f"@{path}")
    for organisation, key in store.keys.items():
        store.call("commons", "sign", "AG", "--organisation", organisation, "--key-file", str(key))
    return tokens, made, shared


def plan(seed, made, shared, tokens):
    """An endless course of requests: kind, method, path, body, token, and the status that is right."""
    chance = random.Random(seed)
    kinds, weights = list(MIX), list(MIX.values())
    n, t = 0, int(time.time() * 1e9)
    while True:
        kind = chance.choices(kinds, weights)[0]
        user = chance.choice(["ada", "ada", "ben", "hal"])
        token = tokens[user]
        run = chance.choice(made if user == "ada" else shared)
        may = 403 if user == "hal" else 200
        n += 1
        if kind == "run list":
            yield kind, "GET", "run/list", None, token, 200
        elif kind == "run show":
            yield kind, "GET", f"run/show?id={run}", None, token, may
        elif kind == "run plot":
            yield kind, "POST", "run/plot", {"run": run, "pixels": 900}, token, may
        elif kind == "record list":
            yield kind, "GET", f"record/list?kind={chance.choice(['channel', 'event', 'observation'])}&limit=50", None, token, 200
        elif kind == "search":
            yield kind, "POST", "search/query", {"text": chance.choice(["温度", "LOAD-1", "oxygen", "泡"])}, token, 200
        elif kind == "sql":
            query = f"SELECT COUNT(*) AS n, AVG(value) AS v FROM series WHERE run = '{run}'"
            yield kind, "POST", "sql/query", {"query": query}, token, 200
        elif kind == "commons catalogue":
            yield kind, "GET", "commons/catalogue", None, token, 200
        elif kind == "commons agreement":
            yield kind, "GET", "commons/agreement", None, token, 200
        elif kind == "record put":
            fields = {"run": chance.choice(made), "sort": "note", "label": f"load {n % 500}"}
            yield kind, "POST", "record/put", {"kind": "event", "id": f"EV-{n % 500}", "fields": fields}, tokens["ada"], 200
        elif kind == "live append":
            t += 1_000_000_000
            signals = [{"key": f"c{i}", "raw_unit": "pH", "origin": "sensor", "sampling": {"rule": "periodic"}} for i in range(8)]
            points = [{"signal": i, "t_ns": t, "said": {"digits": f"{n % 1000 / 100:.2f}"}} for i in range(8)]
            batch = {"source": "load", "run": f"R{n % 4}", "vessel": f"R{n % 4}", "simulated": True, "signals": signals, "points": points}
            yield kind, "POST", "live/append", {"batches": [batch]}, tokens["ada"], 200
        else:
            yield kind, "GET", f"run/show?id={chance.choice(made[len(shared):])}", None, tokens["ben"], 403


def memory(pid):
    """Resident memory in MiB, how much of it is files mapped (which the system takes back), open files, CPU seconds."""
    status = dict(line.split(":", 1) for line in Path(f"/proc/{pid}/status").read_text().splitlines())
    rss, mapped = [int(status[name].split()[0]) / 1024 for name in ("VmRSS", "RssFile")]
    fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    cpu = (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
    return rss, mapped, len(os.listdir(f"/proc/{pid}/fd")), cpu


def quantile(sorted_values, q):
    return sorted_values[min(len(sorted_values) - 1, int(q * len(sorted_values)))] if sorted_values else None


async def load(arguments, client, course, pid):
    taken, wrong, samples, rests, open_tasks = {}, {}, [], [], set()

    async def one(due, kind, method, path, body, token, right):
        try:
            status, answer = await client.ask(method, path, body, token)
        except (OSError, asyncio.IncompleteReadError, ValueError, IndexError) as fault:
            status, answer = 0, str(fault).encode()
        taken.setdefault(kind, []).append((time.monotonic() - due) * 1000)
        if status != right:
            wrong.setdefault(f"{kind}: {status} instead of {right}", answer[:300].decode(errors="replace"))

    begun, next_sample, asked = time.monotonic(), 0, int(arguments.seconds * arguments.rate)
    pauses = {round(asked * k / arguments.rests) for k in range(1, arguments.rests + 1)}
    for n in range(asked + 1):
        if n in pauses:
            # What is held when nobody asks: what was kept for answers under way is not in it.
            paused = time.monotonic()
            if open_tasks:
                await asyncio.wait(open_tasks, timeout=60)
            await asyncio.sleep(REST_S)
            rss, mapped, files, cpu = memory(pid)
            rests.append({"s": round(n / arguments.rate), "rss_mib": round(rss, 1), "mapped_mib": round(mapped, 1), "files": files})
            begun += time.monotonic() - paused
        if n == asked:
            break
        due = begun + n / arguments.rate
        if (wait := due - time.monotonic()) > 0:
            await asyncio.sleep(wait)
        task = asyncio.create_task(one(due, *next(course)))
        open_tasks.add(task)
        task.add_done_callback(open_tasks.discard)
        if time.monotonic() - begun >= next_sample:
            rss, mapped, files, cpu = memory(pid)
            samples.append({"s": round(time.monotonic() - begun), "rss_mib": round(rss, 1), "mapped_mib": round(mapped, 1), "files": files, "cpu_s": round(cpu, 1), "waiting": len(open_tasks)})
            next_sample += max(1, arguments.seconds / 60)
            if sys.stderr.isatty() or arguments.verbose:
                print(samples[-1], file=sys.stderr, flush=True)
    if open_tasks:
        await asyncio.wait(open_tasks, timeout=60)
    return taken, wrong, samples, rests


async def each(course, client, pid, count):
    """CPU of the server in ms, and bytes, for one request of each kind, asked one after another."""
    kinds = {}
    while any(len(kinds.get(kind, [])) < count for kind in MIX):
        kind, method, path, body, token, right = next(course)
        if len(kinds.setdefault(kind, [])) < count:
            before = memory(pid)[3], time.monotonic()
            status, answer = await client.ask(method, path, body, token)
            assert status == right, (kind, status, answer[:300])
            kinds[kind].append((memory(pid)[3] - before[0], time.monotonic() - before[1], len(answer)))
    # The first ones fill caches. CPU is counted in steps of 10 ms, so only sums tell.
    means = {kind: [1000 * sum(x[i] for x in all[2:]) / len(all[2:]) for i in (0, 1)] for kind, all in kinds.items()}
    for kind in MIX:
        cpu, wall = means[kind]
        print(f"{kind:18} {cpu:8.2f} ms CPU {wall:8.2f} ms {sum(x[2] for x in kinds[kind]) / len(kinds[kind]):10.0f} bytes")
    print(f"weighted           {sum(MIX[k] * means[k][0] for k in MIX) / sum(MIX.values()):8.2f} ms CPU")


async def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--toji", required=True)
    parser.add_argument("--rate", type=float, default=200, help="requests a second")
    parser.add_argument("--seconds", type=float, default=300)
    parser.add_argument("--runs", type=int, default=24)
    parser.add_argument("--hours", type=float, default=24, help="length of each run")
    parser.add_argument("--rests", type=int, default=0, metavar="N", help="N times, the last at the end, nothing is asked for a while and memory is looked at")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--out")
    parser.add_argument("--each", type=int, default=0, metavar="N", help="instead, the CPU of N requests of each kind, one by one")
    parser.add_argument("--verbose", action="store_true")
    arguments = parser.parse_args()
    folder = tempfile.mkdtemp(prefix="toji-load-")
    store = Store(arguments.toji, folder, arguments.runs, arguments.hours)
    serving = subprocess.Popen([arguments.toji, "--store", str(store.dir), "--json", "--quiet", "serve", "--address", "127.0.0.1:0"], stdout=subprocess.PIPE, text=True)
    try:
        port = int(json.loads(serving.stdout.readline())["url"].rsplit(":", 1)[1])
        client = Client(port)
        tokens, made, shared = await prepare(store, client)
        if arguments.each:
            return await each(plan(arguments.seed, made, shared, tokens), client, serving.pid, arguments.each)
        taken, wrong, samples, rests = await load(arguments, client, plan(arguments.seed, made, shared, tokens), serving.pid)
    finally:
        serving.terminate()
        serving.wait()
    checked = store.call("verify", "--ledger")
    shutil.rmtree(folder)
    every = sorted(x for values in taken.values() for x in values)
    half = samples[len(samples) // 2 :]
    report = {
        "rate_per_s": arguments.rate, "seconds": arguments.seconds, "requests": len(every), "runs": len(made),
        "machine": {"cores": os.cpu_count(), "cpu": platform.processor() or platform.machine(), "system": platform.release()},
        "p50_ms": round(quantile(every, 0.5), 2), "p95_ms": round(quantile(every, 0.95), 2), "p99_ms": round(quantile(every, 0.99), 2), "max_ms": round(every[-1], 1),
        "p50_ms_of": {kind: round(quantile(sorted(values), 0.5), 2) for kind, values in sorted(taken.items())},
        "p99_ms_of": {kind: round(quantile(sorted(values), 0.99), 2) for kind, values in sorted(taken.items())},
        "server_cores": round((samples[-1]["cpu_s"] - samples[0]["cpu_s"]) / max(1, samples[-1]["s"] - samples[0]["s"]), 3),
        "rss_mib": {"begin": samples[0]["rss_mib"], "middle": half[0]["rss_mib"], "end": samples[-1]["rss_mib"], "most": max(s["rss_mib"] for s in samples)},
        "files": {"begin": samples[0]["files"], "end": samples[-1]["files"]},
        "rest_mib": rests, "wrong": wrong, "ledger": checked, "samples": samples,
    }
    text = json.dumps(report, indent=1, ensure_ascii=False)
    if arguments.out:
        Path(arguments.out).write_text(text + "\n")
    report.pop("samples")
    print(json.dumps(report, indent=1, ensure_ascii=False))
    if wrong:
        raise SystemExit("some answers were not what they had to be")


asyncio.run(main())
