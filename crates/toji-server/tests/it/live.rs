//! Live data through the HTTP face: what an edge collector posts is acknowledged, shown, followed, and found again.

use crate::client::Server;
use serde_json::{Value as Json, json};
use std::sync::Arc;
use std::time::Duration;

fn now_ns() -> i64 {
    std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_nanos() as i64
}

fn batch(run: &str, points: &[(i64, &str)]) -> Json {
    let points: Vec<Json> =
        points.iter().map(|(t_ns, digits)| json!({"signal": 0, "t_ns": t_ns, "said": {"digits": digits}})).collect();
    json!({"source": "edge-1", "run": run, "vessel": run, "simulated": true,
        "signals": [{"key": "pH", "raw_unit": "pH", "origin": "sensor", "sampling": {"rule": "on-change"}}], "points": points})
}

async fn append(server: &Server, batches: &[Json]) -> Json {
    let answer = server.post("/api/v1/live/append", &json!({"batches": batches})).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    answer.json()
}

const S: i64 = 1_000_000_000;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_edge_collector_appends_and_everybody_sees() {
    let server = Server::real().await;
    let now = now_ns();
    let first = batch("R1", &[(now - 3 * S, "7.02"), (now - 2 * S, "7.03")]);
    assert_eq!(append(&server, std::slice::from_ref(&first)).await["points_new"], 2);
    assert_eq!(append(&server, &[first]).await, json!({"points_new": 0, "points_known": 2, "points_changed": 0, "marks": 0}));
    let board = server.get("/api/v1/live/tail").await.json();
    let tank = &board["runs"][0];
    assert_eq!(
        (tank["vessel"].as_str(), tank["state"].as_str(), tank["source"].as_str()),
        (Some("R1"), Some("receiving"), Some("edge-1"))
    );
    let channel = tank["channels"].as_array().unwrap().iter().find(|c| c["key"] == "pH").unwrap().clone();
    assert_eq!(
        (channel["value"].as_f64(), channel["quantity"].as_str(), &channel["alarm"]),
        (Some(7.03), Some("ph"), &Json::Null)
    );
    let run = tank["id"].as_str().unwrap().to_owned();
    let plot = server.get(&format!("/api/v1/run/plot?run={run}")).await.json();
    let drawn = plot["channels"].as_array().unwrap().iter().find(|c| c["id"] == channel["id"]).unwrap();
    assert_eq!(drawn["value"], json!([7.02, 7.03]));
    // A limit that a person sets on the channel raises an alarm and outlasts what the source says next.
    let id = channel["id"].as_str().unwrap();
    let record = server.post("/api/v1/record/get", &json!({"kind": "channel", "id": id})).await.json();
    let mut fields = record["fields"].clone();
    fields["high_limit"] = json!(7.0);
    let put = server.post("/api/v1/record/put", &json!({"kind": "channel", "id": id, "fields": fields, "reason": "limit"})).await;
    assert_eq!(put.status, 200, "{}", put.text());
    let mut again = batch("R1", &[(now - S, "7.04")]);
    again["signals"][0]["address"] = json!("moved");
    append(&server, &[again]).await;
    let board = server.get("/api/v1/live/tail").await.json();
    let channel = board["runs"][0]["channels"].as_array().unwrap().iter().find(|c| c["key"] == "pH").unwrap().clone();
    assert_eq!(
        (channel["value"].as_f64(), channel["alarm"].as_str(), channel["high"].as_f64()),
        (Some(7.04), Some("high"), Some(7.0))
    );
    assert_eq!(server.post("/api/v1/live/seal", &json!({})).await.json()["points_new"], 3);
    assert_eq!(server.get("/api/v1/live/status").await.json()["points"], 0);
    assert_eq!(server.get("/api/v1/live/sources").await.json()["sources"][0]["source"], "edge-1");
    let verdict = server.post("/api/v1/store/verify", &json!({})).await;
    assert_eq!(verdict.status, 200, "{}", verdict.text());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_outage_is_said_and_nothing_is_carried_through_it() {
    let server = Server::real().await;
    let zero = now_ns() - 3600 * S;
    append(&server, &[batch("R1", &[(zero, "7.0"), (zero + 3000 * S, "6.0")])]).await;
    let aligned = async || {
        let run = server.get("/api/v1/live/tail").await.json()["runs"][0]["id"].as_str().unwrap().to_owned();
        let grid =
            server.get(&format!("/api/v1/run/align?run={run}&grid_s=600&channels=pH&rule=%7B%22pH%22%3A%22last%22%7D")).await;
        assert_eq!(grid.status, 200, "{}", grid.text());
        grid.json()["channels"][0]["value"].clone()
    };
    assert_eq!(aligned().await, json!([7.0, 7.0, 7.0, 7.0, 7.0, 6.0]), "silence in the dead band means unchanged");
    let mut marks = batch("R1", &[]);
    marks["marks"] = json!([{"t_ns": zero + 1300 * S, "kind": "disconnected", "note": "broker gone"}, {"t_ns": zero + 1900 * S, "kind": "reconnected"}]);
    append(&server, &[marks]).await;
    assert_eq!(aligned().await, json!([7.0, 7.0, null, null, null, 6.0]), "silence in an outage says nothing");
    let run = server.get("/api/v1/live/tail").await.json()["runs"][0]["id"].as_str().unwrap().to_owned();
    let plot = server.get(&format!("/api/v1/run/plot?run={run}&channels=pH")).await.json();
    assert_eq!(plot["channels"][0]["value"], json!([7.0, null, 6.0]), "the line is broken");
    assert_eq!(plot["channels"][0]["t_s"], json!([0.0, 1300.0, 3000.0]));
    let mut gone = batch("R1", &[]);
    gone["marks"] = json!([{"t_ns": zero + 3500 * S, "kind": "death"}]);
    append(&server, &[gone]).await;
    assert_eq!(server.get("/api/v1/live/tail").await.json()["runs"][0]["state"], "outage");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_stream_tells_what_is_new_and_ends_with_the_server() {
    let server = Arc::new(Server::real().await);
    let now = now_ns() - 60 * S;
    append(&server, &[batch("R1", &[(now, "7.0")]), batch("R2", &[(now, "6.0")])]).await;
    let board = server.get("/api/v1/live/tail").await.json();
    let run = board["runs"][0]["id"].as_str().unwrap().to_owned();
    let following = {
        let (server, run) = (server.clone(), run.clone());
        tokio::spawn(async move { server.get(&format!("/api/v1/live/stream?run={run}&hz=4")).await.text() })
    };
    tokio::time::sleep(Duration::from_millis(600)).await;
    for i in 1..=40i64 {
        append(&server, &[batch("R1", &[(now + i * S / 10, &format!("7.{i:02}"))]), batch("R2", &[(now + i * S / 10, "6.1")])])
            .await;
        tokio::time::sleep(Duration::from_millis(25)).await;
    }
    tokio::time::sleep(Duration::from_millis(700)).await;
    server.stop.send(true).unwrap();
    let text = following.await.unwrap();
    let updates: Vec<Json> =
        text.lines().filter_map(|l| l.strip_prefix("data: ")).map(|d| serde_json::from_str(d).unwrap()).collect();
    assert_eq!(updates[0]["values"].as_array().unwrap().len(), 2, "the first update holds what there is: {}", updates[0]);
    assert!((3..=14).contains(&updates.len()), "at most four a second: {}", updates.len());
    let drawn: Vec<f64> = updates[1..]
        .iter()
        .flat_map(|u| u["points"].as_object().unwrap().values().cloned().collect::<Vec<_>>())
        .flat_map(|p| p["value"].as_array().unwrap().iter().map(|v| v.as_f64().unwrap()).collect::<Vec<_>>())
        .collect();
    assert_eq!(
        drawn,
        (1..=40).map(|i| format!("7.{i:02}").parse::<f64>().unwrap()).collect::<Vec<_>>(),
        "every new point of the run, once"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_band_of_good_runs_counts_from_inoculation() {
    let server = Server::real().await;
    let zero = now_ns() - 7200 * S;
    let line = |run: &str, values: [&str; 3]| {
        let points: Vec<(i64, &str)> = values.iter().enumerate().map(|(i, v)| (zero + i as i64 * 60 * S, *v)).collect();
        batch(run, &points)
    };
    append(&server, &[line("R1", ["7.0", "6.9", "6.8"]), line("R2", ["7.2", "7.0", "6.6"])]).await;
    let board = server.get("/api/v1/live/tail").await.json();
    let ids: Vec<String> = board["runs"].as_array().unwrap().iter().map(|r| r["id"].as_str().unwrap().to_owned()).collect();
    let event = json!({"kind": "event", "id": "evt-inoculated", "fields": {"run": ids[1], "sort": "inoculation", "label": "inoculation", "elapsed_s": 60.0}});
    assert_eq!(server.post("/api/v1/record/put", &event).await.status, 200);
    let band = server.post("/api/v1/run/band", &json!({"quantity": "ph", "runs": ids, "grid_s": 60, "over": ids[1]})).await;
    assert_eq!(band.status, 200, "{}", band.text());
    let band = band.json();
    assert_eq!(band["t_s"], json!([-30.0, 30.0, 90.0, 150.0]));
    assert_eq!(band["n"], json!([1, 2, 2, 1]));
    assert_eq!((&band["low"], &band["high"]), (&json!([null, 7.0, 6.6, null]), &json!([null, 7.0, 6.9, null])));
    assert_eq!((band["over"]["zero_s"].as_f64(), band["over"]["from_inoculation"].as_bool()), (Some(60.0), Some(true)));
    assert_eq!(band["runs"][0]["from_inoculation"], false);
    server.post("/api/v1/run/band", &json!({"quantity": "ph", "runs": [], "grid_s": 60})).await.is_problem(
        422,
        "E-RUN-020",
        "input",
    );
}
