//! Three nodes as real processes, each in a network namespace of its own: the platform, a company that deposits, and one
//! that takes. Only a bridge joins them, and it can be cut.

use crate::runner::{Bench, Seen};
use serde_json::Value as Json;
use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use std::sync::Mutex;
use std::time::{Duration, Instant};

/// Namespaces that live as long as a process in each of them sleeps.
struct Nets {
    sleepers: Vec<Child>,
}

const NAMES: [&str; 3] = ["platform", "a", "b"];

impl Nets {
    /// Three namespaces, and a bridge in the first that joins them; `None` where the system permits no namespaces.
    fn three() -> Option<Self> {
        let mut nets = Self { sleepers: Vec::new() };
        let root = Command::new("id").arg("-u").output().ok().is_some_and(|o| o.stdout.starts_with(b"0\n"));
        let first: &[&str] = if root { &["-n"] } else { &["-Urn"] };
        nets.sleep(Command::new("unshare").args(first))?;
        for _ in 1..NAMES.len() {
            let inside = nets.inside(0, "unshare").arg("-n").get_args().map(|a| a.to_owned()).collect::<Vec<_>>();
            nets.sleep(Command::new("nsenter").args(inside))?;
        }
        let said = |words: &str| words.split(' ').map(str::to_owned).collect::<Vec<String>>();
        nets.ip(0, &said("link add name br0 type bridge"))?;
        nets.ip(0, &said("addr add 10.77.0.1/24 dev br0"))?;
        nets.ip(0, &said("link set br0 up"))?;
        for n in 1..NAMES.len() {
            let there = nets.sleepers.get(n)?.id().to_string();
            nets.ip(0, &said(&format!("link add v{n} type veth peer name w{n}")))?;
            nets.ip(0, &said(&format!("link set w{n} netns {there}")))?;
            nets.ip(0, &said(&format!("link set v{n} master br0 up")))?;
            nets.ip(n, &said(&format!("addr add 10.77.0.{}/24 dev w{n}", n + 1)))?;
            nets.ip(n, &said(&format!("link set w{n} up")))?;
        }
        Some(nets)
    }

    fn sleep(&mut self, command: &mut Command) -> Option<()> {
        let child = command.args(["sh", "-c", "echo ready; exec sleep 900"]).stdout(Stdio::piped()).stderr(Stdio::null()).spawn();
        let mut child = child.ok()?;
        let mut line = String::new();
        let read = BufReader::new(child.stdout.take()?).read_line(&mut line);
        let ready = read.is_ok() && line == "ready\n";
        self.sleepers.push(child);
        ready.then_some(())
    }

    /// A program in a namespace.
    fn inside(&self, net: usize, program: &str) -> Command {
        let pid = self.sleepers.get(net).map(|s| s.id().to_string()).unwrap_or_default();
        let mut command = Command::new("nsenter");
        command.args(["--target", &pid, "--net"]);
        let root = Command::new("id").arg("-u").output().ok().is_some_and(|o| o.stdout.starts_with(b"0\n"));
        if !root {
            command.args(["--user", "--preserve-credentials"]);
        }
        command.arg(program);
        command
    }

    fn ip(&self, net: usize, arguments: &[String]) -> Option<()> {
        let done = self.inside(net, "ip").args(arguments).stderr(Stdio::null()).status().ok()?;
        done.success().then_some(())
    }

    /// Joins a company to the platform, or cuts it off.
    fn join(&self, net: usize, on: bool) {
        let words = ["link".to_owned(), "set".to_owned(), format!("v{net}"), if on { "up" } else { "down" }.to_owned()];
        self.ip(0, &words).unwrap();
    }
}

impl Drop for Nets {
    fn drop(&mut self) {
        for sleeper in &mut self.sleepers {
            let _ = sleeper.kill();
            let _ = sleeper.wait();
        }
    }
}

/// A node: a folder with a store, in a namespace.
struct Node<'n> {
    bench: Bench,
    nets: &'n Nets,
    net: usize,
    serving: Mutex<Option<Child>>,
}

impl<'n> Node<'n> {
    fn new(nets: &'n Nets, net: usize) -> Self {
        Self { bench: Bench::with_store(), nets, net, serving: Mutex::new(None) }
    }
    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = self.nets.inside(self.net, env!("CARGO_BIN_EXE_toji"));
        command
            .args(arguments)
            .current_dir(self.bench.folder())
            .env_clear()
            .env("PATH", std::env::var("PATH").unwrap_or_default());
        command.stdin(Stdio::null());
        command
    }
    fn run(&self, arguments: &[&str]) -> Seen {
        Seen::of(self.command(arguments).output().unwrap())
    }
    /// The result of a command that must succeed.
    fn json(&self, arguments: &[&str]) -> Json {
        let arguments = [&["--json", "--quiet"], arguments].concat();
        let seen = self.run(&arguments);
        assert_eq!(seen.code, 0, "{} {arguments:?}: {}", NAMES[self.net], seen.err);
        serde_json::from_str(&seen.out).unwrap_or_else(|e| panic!("{arguments:?}: {e}: {}", seen.out))
    }
    fn refused(&self, arguments: &[&str], code: &str) -> String {
        let seen = self.run(arguments);
        assert_eq!(seen.code, 1, "{arguments:?}: {}", seen.out);
        assert!(seen.err.contains(code), "{arguments:?}: {}", seen.err);
        seen.err
    }
    fn put(&self, kind: &str, id: &str, fields: &str) {
        self.json(&["record", "put", kind, id, "--fields", fields]);
    }
    fn serve(&self) {
        let arguments = ["serve", "--address", "10.77.0.1:8080", "--json", "--quiet"];
        let mut child = self.command(&arguments).stdout(Stdio::piped()).spawn().unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        assert!(line.contains("10.77.0.1:8080"), "{line}");
        *self.serving.lock().unwrap() = Some(child);
    }
    fn stop(&self) {
        if let Some(mut child) = self.serving.lock().unwrap().take() {
            let _ = Command::new("kill").args(["-TERM", &child.id().to_string()]).status();
            let _ = child.wait();
        }
    }
    fn sync(&self) -> Json {
        self.json(&["node", "sync", "platform"])
    }
    fn rows(&self, query: &str) -> Json {
        let rows = self.json(&["sql", query])["rows"].clone();
        assert!(rows.as_array().is_some_and(|r| !r.is_empty()), "{query}");
        rows
    }
}

impl Drop for Node<'_> {
    fn drop(&mut self) {
        self.stop();
    }
}

/// A company's own store, with a key and the platform entered.
fn company<'n>(nets: &'n Nets, net: usize, organisation: &str, platform: &Node) -> Node<'n> {
    let node = Node::new(nets, net);
    node.put("organisation", organisation, r#"{"name": "会員", "country": "JP"}"#);
    node.json(&["commons", "found", organisation, "--country", "JP"]);
    let made = node.json(&["--out", "own.key", "commons", "make-key", organisation]);
    let key = made["key"].as_str().unwrap();
    node.json(&["commons", "key", organisation, "--key", key]);
    platform.put("organisation", organisation, r#"{"name": "会員", "country": "JP"}"#);
    platform.json(&["commons", "apply", organisation, "--country", "JP", "--reason", "strain improvement"]);
    platform.json(&["commons", "screen", organisation, "--listing", "clear", "--evidence", "looked up"]);
    platform.json(&["commons", "decide", organisation, "--approve", "--reason", "fits"]);
    platform.json(&["commons", "key", organisation, "--key", key]);
    let user = format!("node-{}", NAMES[net]);
    platform.json(&["user", "invite", &user, "--organisation", organisation, "--roles", "contributor-admin"]);
    let entered = node.json(&["node", "connect", "platform", "http://10.77.0.1:8080", "--user", &user]);
    platform.json(&["user", "node-key", &user, "--key", entered["key"].as_str().unwrap()]);
    node
}

/// What a run holds, without when and where.
fn content(node: &Node, run: &str) -> Json {
    let points = "SELECT c.key, COUNT(*) AS n, SUM(s.value) AS v, MIN(s.time) AS a, MAX(s.time) AS b FROM series s \
                  JOIN channel c ON c.id = s.channel WHERE s.run = 'RUN' GROUP BY c.key ORDER BY c.key";
    let points = node.rows(&points.replace("RUN", run));
    let of = |kind: &str| {
        let all = node.json(&["record", "list", kind])["records"].clone();
        let fields: Vec<Json> =
            all.as_array().unwrap().iter().filter(|r| r["fields"]["run"] == run).map(|r| r["fields"].clone()).collect();
        assert!(!fields.is_empty(), "{kind} of {run}");
        Json::from(fields)
    };
    serde_json::json!({"points": points, "channels": of("channel"), "events": of("event"), "samples": of("sample")})
}

#[test]
fn nodes_exchange_catalogue_agreements_and_data_across_a_network_that_breaks() {
    let Some(nets) = Nets::three() else {
        eprintln!("skipped: this system permits no network namespaces");
        return;
    };
    let platform = Node::new(&nets, 0);
    platform.put("organisation", "ORG-HOME", r#"{"name": "基盤の運営組織", "country": "JP"}"#);
    platform.json(&["commons", "found", "ORG-HOME", "--country", "JP"]);
    let (a, b) = (company(&nets, 1, "ORG-A", &platform), company(&nets, 2, "ORG-B", &platform));

    // A has runs of its own, and goes on working while nobody answers.
    let made = a.json(&["simulate", "run", "SIM", "--reactors", "3", "--hours", "4", "--every-s", "5", "--operator"]);
    let runs: Vec<String> = made["runs"]
        .as_array()
        .unwrap()
        .iter()
        .map(|r| r.as_str().or_else(|| r["id"].as_str()).or_else(|| r["run"].as_str()).unwrap().to_owned())
        .collect();
    assert_eq!(runs.len(), 3);
    a.json(&[
        "commons",
        "share",
        "DS-A",
        "--title",
        "Fed-batch",
        "--area",
        "competitive",
        "--runs",
        &runs[0],
        "--runs",
        &runs[1],
        "--runs",
        &runs[2],
    ]);
    a.json(&["node", "give", "platform", "DS-A"]);
    let away = a.refused(&["node", "sync", "platform", "--quiet"], "E-LINK-001");
    assert!(away.contains("10.77.0.1"), "{away}");
    let status = a.json(&["node", "status"]);
    assert_eq!(status["nodes"][0]["waiting"], serde_json::json!(["DS-A"]));
    assert!(status["nodes"][0]["error"]["ja"].as_str().unwrap().contains("接続できません"), "{status}");

    // The platform answers. The company dies in the middle of giving, and the network is cut in the middle of giving.
    platform.serve();
    let mut dying = a.command(&["node", "sync", "platform", "--quiet"]).stderr(Stdio::null()).spawn().unwrap();
    std::thread::sleep(Duration::from_millis(900));
    let _ = dying.kill();
    let _ = dying.wait();
    let mut cut =
        a.command(&["node", "sync", "platform", "--quiet"]).stderr(Stdio::null()).stdout(Stdio::null()).spawn().unwrap();
    std::thread::sleep(Duration::from_millis(700));
    nets.join(1, false);
    std::thread::sleep(Duration::from_millis(1500));
    nets.join(1, true);
    let until = Instant::now() + Duration::from_secs(200);
    while cut.try_wait().unwrap().is_none() && Instant::now() < until {
        std::thread::sleep(Duration::from_millis(100));
    }
    let _ = cut.kill();
    let _ = cut.wait();
    let given = a.sync();
    assert_eq!(given["house"], "ORG-HOME");
    assert_eq!(given["refused"], serde_json::json!([]), "{given}");
    let went = &given["given"][0];
    assert_eq!(went["runs"].as_u64().unwrap() + went["runs_known"].as_u64().unwrap(), 3, "{given}");
    let again = a.sync();
    assert_eq!(again["given"][0]["bytes"], 0, "what has not changed is not sent again: {again}");
    assert_eq!(again["mirrored"], 0, "{again}");
    for run in &runs {
        assert_eq!(content(&platform, run), content(&a, run), "{run}");
        let record = platform.json(&["record", "get", "run", run]);
        assert_eq!(record["owner"], "ORG-A", "{record}");
    }
    let points = |node: &Node| node.rows("SELECT COUNT(*) AS n FROM series")[0][0].as_u64().unwrap();
    assert_eq!(points(&platform), points(&a));
    assert!(points(&a) > 50_000, "{}", points(&a));

    // B asks for what no agreement lets it have.
    b.json(&["node", "take", "platform", "DS-A"]);
    let refused = b.sync();
    assert_eq!(refused["refused"][0]["what"], "DS-A", "{refused}");
    assert_eq!(points(&b), 0);
    // A catalogue for connectors: nothing to use yet.
    assert!(platform.json(&["node", "catalogue"]).get("dataset").is_none());

    // An agreement is drafted on the platform; both sign at home while the platform is down, and deliver later.
    std::fs::write(
        platform.bench.folder().join("terms.json"),
        r#"{"title": "Cultures of A for B", "text": "What people sign.", "parties": ["ORG-A", "ORG-B"], "data_sets": ["DS-A"],
            "from": "2026-04-01T00:00:00Z", "until": "2036-04-01T00:00:00Z", "purposes": ["research"], "grants": ["read", "export"]}"#,
    )
    .unwrap();
    platform.json(&["commons", "draft", "AG-1", "--terms", "@terms.json"]);
    assert!(a.sync()["mirrored"].as_u64().unwrap() > 0);
    b.sync();
    platform.stop();
    for (node, organisation) in [(&a, "ORG-A"), (&b, "ORG-B")] {
        node.json(&["commons", "sign", "AG-1", "--organisation", organisation, "--key-file", "own.key"]);
        node.refused(&["node", "sync", "platform", "--quiet"], "E-LINK-001");
    }
    platform.serve();
    assert_eq!(a.sync()["delivered"], serde_json::json!(["AG-1"]));
    let b_synced = b.sync();
    assert_eq!(b_synced["delivered"], serde_json::json!(["AG-1"]));
    let state = |node: &Node| node.json(&["commons", "agreement", "AG-1"])["agreements"][0]["in_force"].clone();
    assert_eq!(state(&platform), true);
    b.sync();
    a.sync();
    assert_eq!((state(&a), state(&b)), (true.into(), true.into()), "every node judges by itself");

    // B takes, and has what A has; it stays A's.
    let taken = b.sync();
    assert_eq!(taken["refused"], serde_json::json!([]), "{taken}");
    for run in &runs {
        assert_eq!(content(&b, run), content(&a, run), "{run}");
        assert_eq!(b.json(&["record", "get", "run", run])["owner"], "ORG-A");
    }
    let offered = b.json(&["node", "catalogue", "--endpoint", "http://10.77.0.1:8080"]);
    assert_eq!(offered["dataset"][0]["@id"], "urn:toji:data-set:DS-A", "{offered}");
    assert_eq!(offered["dataset"][0]["hasPolicy"][0]["@type"], "Offer");

    // On B's node the terms hold for B's people: a scientist reads for research, and not for production.
    b.json(&["user", "invite", "sci-b", "--organisation", "ORG-B", "--roles", "scientist"]);
    let key = b.json(&["node", "connect", "elsewhere", "http://10.77.0.9:1", "--user", "sci-b"]);
    b.json(&["user", "node-key", "sci-b", "--key", key["key"].as_str().unwrap()]);
    for (purpose, expected) in [("research", true), ("production", false)] {
        let seen = b.json(&["commons", "catalogue", "--user", "sci-b", "--purpose", purpose]);
        let may = seen["data_sets"][0]["may"].as_array().unwrap();
        let read = may.iter().find(|m| m["action"] == "read").unwrap();
        assert_eq!(read["allowed"], expected, "{purpose}: {read}");
    }

    // What changes goes, and only that.
    a.put(
        "event",
        "EVENT-LATE",
        &format!(r#"{{"run": "{}", "time": "2026-10-05T01:00:00Z", "sort": "note", "label": "泡が多い"}}"#, runs[0]),
    );
    let later = a.sync();
    assert_eq!((&later["given"][0]["runs"], &later["given"][0]["runs_known"]), (&1.into(), &2.into()), "{later}");
    assert_eq!(b.sync()["taken"][0]["runs"], 1);
    assert_eq!(content(&b, &runs[0]), content(&a, &runs[0]));

    // By a medium instead of a network: the same, signed; a byte that was altered is refused whole.
    a.json(&["--out", "ds-a.zip", "node", "export", "DS-A", "--key-file", "own.key"]);
    let parcel = std::fs::read(a.bench.folder().join("ds-a.zip")).unwrap();
    let carried = Node::new(&nets, 2);
    carried.put("organisation", "ORG-C", r#"{"name": "会員", "country": "JP"}"#);
    carried.put("organisation", "ORG-A", r#"{"name": "会員", "country": "JP"}"#);
    carried.json(&["commons", "found", "ORG-C", "--country", "JP"]);
    std::fs::write(carried.bench.folder().join("ds-a.zip"), &parcel).unwrap();
    carried.refused(&["node", "import", "ds-a.zip", "--quiet"], "E-NODE-020");
    carried.json(&["commons", "apply", "ORG-A", "--country", "JP", "--reason", "partner"]);
    let own = a.json(&["record", "get", "membership", "ORG-A"])["fields"]["key"].as_str().unwrap().to_owned();
    carried.json(&["commons", "key", "ORG-A", "--key", &own]);
    for at in [parcel.len() / 3, parcel.len() / 2, parcel.len() - 200] {
        let mut altered = parcel.clone();
        altered[at] ^= 1;
        std::fs::write(carried.bench.folder().join("altered.zip"), &altered).unwrap();
        let seen = carried.run(&["node", "import", "altered.zip", "--quiet"]);
        assert!(seen.code == 1 && points(&carried) == 0, "{at}: {} {}", seen.out, seen.err);
    }
    assert_eq!(carried.json(&["node", "import", "ds-a.zip"])["runs"], 3);
    assert_eq!(points(&carried), points(&a));
    for node in [&platform, &a, &b, &carried] {
        let checked = node.json(&["verify", "--ledger"]);
        assert!(checked["faults"].as_array().is_none_or(Vec::is_empty) && checked["ok"] != false, "{checked}");
    }
}
