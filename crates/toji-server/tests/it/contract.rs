//! Calls, inputs, refusals and files.

use crate::client::Server;
use serde_json::{Value as Json, json};

fn whole(part: &Json) -> Json {
    let mut all =
        json!({"text": null, "limit": null, "level": null, "raw": false, "channels": [], "order": null, "filter": null});
    for (key, value) in part.as_object().unwrap() {
        all[key] = value.clone();
    }
    all
}

#[tokio::test]
async fn post_takes_json_and_get_takes_the_same_as_a_query() {
    let server = Server::own().await;
    let check = async |query: &str, body: Json| {
        let by_post = server.post("/api/v1/test/echo", &body).await;
        let by_get = server.get(&format!("/api/v1/test/echo{query}")).await;
        assert_eq!((by_post.status, by_get.status), (200, 200), "{} {}", by_post.text(), by_get.text());
        assert_eq!(by_post.json(), whole(&body));
        assert_eq!(by_get.json(), by_post.json(), "{query}");
    };
    check("", json!({})).await;
    check("?text=12&limit=12&level=0.5&raw=true", json!({"text": "12", "limit": 12, "level": 0.5, "raw": true})).await;
    check("?channels=ph,do", json!({"channels": ["ph", "do"]})).await;
    check("?channels=a%2Cb&channels=%E9%BA%B9", json!({"channels": ["a,b", "麹"]})).await;
    check("?order=down&filter=%7B%22vessel%22%3A%22R1%22%7D", json!({"order": "down", "filter": {"vessel": "R1"}})).await;
}

#[tokio::test]
async fn input_that_does_not_fit_is_refused_with_its_field() {
    let server = Server::own().await;
    server.get("/api/v1/test/echo?limit=many").await.is_problem(422, "E-FIELD-002", "input");
    server.get("/api/v1/test/echo?order=sideways").await.is_problem(422, "E-FIELD-003", "input");
    let unknown = server.get("/api/v1/test/echo?vessel=R1").await;
    unknown.is_problem(422, "E-QUERY-001", "input");
    assert_eq!(unknown.json()["place"]["field"], "vessel");
    server.post("/api/v1/test/echo", &json!({"limit": "many"})).await.is_problem(422, "E-OP-002", "input");
    server.post("/api/v1/test/echo", &json!([])).await.is_problem(422, "E-HTTP-009", "input");
    let broken = server.send("POST", "/api/v1/test/echo", &[("content-type", "application/json")], b"{\"a\":").await;
    broken.is_problem(422, "E-HTTP-008", "input");
}

#[tokio::test]
async fn every_category_has_its_status_and_the_whole_document() {
    let server = Server::own().await;
    for (category, status) in [
        ("input", 422),
        ("not-found", 404),
        ("conflict", 409),
        ("denied", 403),
        ("model", 422),
        ("storage", 503),
        ("limit", 413),
        ("cancelled", 409),
        ("bug", 500),
    ] {
        let answer = server.post("/api/v1/test/fail", &json!({"category": category})).await;
        answer.is_problem(status, "E-TEST-001", category);
        let problem = answer.json();
        assert_eq!(problem["type"], "urn:toji:problem:E-TEST-001");
        assert_eq!(problem["place"], json!({"file": "culture.csv", "line": 7}));
        assert_eq!(problem["hint"], json!({"ja": "対処", "en": "the remedy"}));
        assert_eq!(problem["diagnostics"][0]["code"], "E-TEST-002");
    }
}

#[tokio::test]
async fn what_is_not_there_is_a_problem_and_not_a_page() {
    let server = Server::own().await;
    server.post("/api/v1/test/other", &json!({})).await.is_problem(404, "E-HTTP-005", "not-found");
    server.get("/api/v1/nowhere").await.is_problem(404, "E-HTTP-013", "not-found");
    server.get("/api").await.is_problem(404, "E-HTTP-013", "not-found");
    server.get("/api/v1/test/write").await.is_problem(405, "E-HTTP-004", "input");
    server.send("PUT", "/api/v1/test/write", &[], b"").await.is_problem(405, "E-HTTP-004", "input");
}

#[tokio::test]
async fn a_file_comes_as_json_or_as_itself() {
    let server = Server::own().await;
    let path = "/api/v1/test/export";
    assert_eq!(server.get(path).await.json(), json!({"rows": 1}));
    for answer in [
        server.get("/api/v1/test/export?download=1").await,
        server.send("GET", path, &[("accept", "text/csv")], b"").await,
        server.send("POST", path, &[("accept", "text/csv"), ("content-type", "application/json")], b"{}").await,
    ] {
        assert_eq!(answer.text(), "a,b\n1,2\n");
        assert_eq!(answer.header("content-type"), "text/csv; charset=utf-8");
        let expected = "attachment; filename=\"_ 1.csv\"; filename*=UTF-8''%E8%A1%A8%201.csv";
        assert_eq!(answer.header("content-disposition"), expected);
    }
}

#[tokio::test]
async fn a_panic_is_one_answer_and_not_the_end() {
    let server = Server::own().await;
    server.get("/api/v1/test/explode").await.is_problem(500, "E-HTTP-011", "bug");
    assert_eq!(server.get("/api/v1/test/echo").await.status, 200);
}

#[tokio::test]
async fn bodies_have_a_limit() {
    let server = Server::own().await;
    let body = json!({"text": "x".repeat(80 << 10)});
    server.post("/api/v1/test/echo", &body).await.is_problem(413, "E-HTTP-007", "limit");
}

#[tokio::test]
async fn text_is_compressed_for_those_who_ask() {
    use std::io::Read;
    let server = Server::own().await;
    let plain = server.get("/api/v1/test/long").await;
    let packed = server.send("GET", "/api/v1/test/long", &[("accept-encoding", "gzip")], b"").await;
    assert_eq!(packed.header("content-encoding"), "gzip");
    assert!(packed.body.len() * 10 < plain.body.len());
    let mut unpacked = Vec::new();
    flate2::read::GzDecoder::new(packed.body.as_slice()).read_to_end(&mut unpacked).unwrap();
    assert_eq!(unpacked, plain.body);
}
