//! Passkeys over HTTP: the way from registration to log-in, and what is shut before it.

use crate::client::{Answer, Server};
use crate::people::{JSON_BODY, PASSWORD, cookie, log_in, member, who};
use serde_json::{Value as Json, json};

#[allow(dead_code)]
#[path = "../../../toji-commons/src/people/passkey/soft.rs"]
pub(crate) mod soft;
use soft::Soft;

async fn send(server: &Server, method: &str, path: &str, cookies: &str, body: &Json) -> Answer {
    let mut headers = vec![JSON_BODY];
    if !cookies.is_empty() {
        headers.push(("cookie", cookies));
    }
    let body = if method == "GET" { String::new() } else { body.to_string() };
    server.send(method, &format!("/api/v1/session{path}"), &headers, body.as_bytes()).await
}

/// Registers an authenticator in a session; gives the cookie of the new one.
async fn register(server: &Server, held: &str, soft: &mut Soft) -> (String, Json) {
    let begun = send(server, "POST", "/passkeys/begin", held, &json!({"password": PASSWORD})).await;
    assert_eq!(begun.status, 200, "{}", begun.text());
    let credential = soft.create(&begun.json()["options"]);
    let added = send(server, "POST", "/passkeys", held, &json!({"name": "key", "credential": credential})).await;
    assert_eq!(added.status, 200, "{}", added.text());
    (cookie(&added), added.json())
}

/// Begins a log-in: the options, and the cookie of the challenge.
async fn begin(server: &Server, body: &Json) -> (Json, String) {
    let begun = send(server, "POST", "/passkey/begin", "", body).await;
    assert_eq!(begun.status, 200, "{}", begun.text());
    (begun.json()["options"].clone(), cookie(&begun))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_passkey_is_registered_and_lets_in_over_http() {
    let server = Server::for_passkeys("http://localhost:8080").await;
    let held = format!("toji-session={}", member(&server, "hanako", None, &[]).await);
    assert_eq!(server.get("/api/v1/session").await.json()["passkey_origin"], "http://localhost:8080");
    let mut soft = Soft::new(1, "http://localhost:8080");
    let wrong = send(&server, "POST", "/passkeys/begin", &held, &json!({"password": "wrong"})).await;
    wrong.is_problem(401, "E-LOGIN-001", "denied");
    let (held, told) = register(&server, &held, &mut soft).await;
    assert_eq!(told["recovery_codes"].as_array().unwrap().len(), 10);
    let listed = send(&server, "GET", "/passkeys", &held, &json!(null)).await.json();
    assert_eq!((&listed["passkeys"][0]["name"], listed["passkeys"][0].get("key")), (&json!("key"), None));
    // Beside the password, and alone.
    log_in(&server, "hanako", PASSWORD, &[]).await.is_problem(401, "E-LOGIN-014", "denied");
    for body in [json!({"user": "hanako", "password": PASSWORD}), json!({})] {
        let (options, ticket) = begin(&server, &body).await;
        let named = options["allowCredentials"].as_array().unwrap().len();
        assert_eq!(named, usize::from(body["user"].is_string()), "who does not give the password learns no identifier");
        let answer = json!({"credential": soft.get(&options)});
        let entered = send(&server, "POST", "/passkey", &ticket, &answer).await;
        assert_eq!(entered.status, 200, "{}", entered.text());
        assert_eq!(who(&server, &cookie(&entered)).await, "hanako");
        send(&server, "POST", "/passkey", &ticket, &answer).await.is_problem(409, "E-PASSKEY-003", "conflict");
    }
    // A page of another port of this machine gets no further than its own signature.
    let (options, ticket) = begin(&server, &json!({})).await;
    soft.origin = "http://localhost:9090".into();
    let answer = json!({"credential": soft.get(&options)});
    send(&server, "POST", "/passkey", &ticket, &answer).await.is_problem(401, "E-LOGIN-001", "denied");
    soft.origin = "http://localhost:8080".into();
    // What the host of a request says changes nothing.
    let (options, ticket) = begin(&server, &json!({})).await;
    soft.origin = "http://localhost:9090".into();
    let body = json!({"credential": soft.get(&options)}).to_string();
    let headers = [JSON_BODY, ("cookie", ticket.as_str()), ("host", "localhost:9090"), ("origin", "http://localhost:9090")];
    let answer = server.send("POST", "/api/v1/session/passkey", &headers, body.as_bytes()).await;
    answer.is_problem(401, "E-LOGIN-001", "denied");
    soft.origin = "http://localhost:8080".into();
    // Named and removed.
    let id = listed["passkeys"][0]["id"].as_str().unwrap();
    let named = send(&server, "POST", "/passkeys/rename", &held, &json!({"id": id, "name": "青い鍵"})).await;
    assert_eq!(named.status, 200, "{}", named.text());
    let removed = send(&server, "POST", "/passkeys/remove", &held, &json!({"id": id, "password": PASSWORD})).await;
    assert_eq!(removed.status, 200, "{}", removed.text());
    assert_eq!(log_in(&server, "hanako", PASSWORD, &[]).await.status, 200);
    send(&server, "POST", "/passkeys/other", &cookie(&removed), &json!({})).await.is_problem(404, "E-HTTP-013", "not-found");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_route_of_passkeys_is_shut_unless_it_is_the_way_in() {
    let server = Server::for_passkeys("http://localhost:8080").await;
    let held = format!("toji-session={}", member(&server, "hanako", None, &[]).await);
    for (method, path) in [
        ("GET", "/passkeys"),
        ("POST", "/passkeys"),
        ("POST", "/passkeys/begin"),
        ("POST", "/passkeys/rename"),
        ("POST", "/passkeys/remove"),
        ("POST", "/passkeys/other"),
        ("POST", "/passkey/other"),
    ] {
        send(&server, method, path, "", &json!({})).await.is_problem(401, "E-LOGIN-010", "denied");
        // A session that has ended is no session.
        let ended = format!("toji-session={}", "ab".repeat(32));
        send(&server, method, path, &ended, &json!({})).await.is_problem(401, "E-LOGIN-010", "denied");
    }
    for path in ["/passkey", "/passkey/begin", "/passkeys", "/passkeys/begin", "/passkeys/rename", "/passkeys/remove"] {
        let full = format!("/api/v1/session{path}");
        for other in [("origin", "https://elsewhere.example"), ("sec-fetch-site", "cross-site")] {
            let answer = server.send("POST", &full, &[JSON_BODY, ("cookie", &held), other], b"{}").await;
            answer.is_problem(403, "E-HTTP-002", "denied");
        }
        let answer = server.send("POST", &full, &[("content-type", "text/plain"), ("cookie", &held)], b"{}").await;
        answer.is_problem(415, "E-HTTP-003", "input");
        let secret = r#"{"password": ["violet"], "violet": 1}"#;
        let answer = server.send("POST", &full, &[JSON_BODY, ("cookie", &held)], secret.as_bytes()).await;
        answer.is_problem(422, "E-LOGIN-012", "input");
        assert!(!answer.text().contains("violet"), "{}", answer.text());
    }
    // One name without the other is neither way.
    for body in [json!({"user": "hanako"}), json!({"password": PASSWORD})] {
        send(&server, "POST", "/passkey/begin", "", &body).await.is_problem(422, "E-LOGIN-012", "input");
    }
    // Where the name of the server is not known there are none.
    let server = Server::real().await;
    let held = format!("toji-session={}", member(&server, "hanako", None, &[]).await);
    assert_eq!(server.get("/api/v1/session").await.json()["passkey_origin"], Json::Null);
    send(&server, "POST", "/passkey/begin", "", &json!({})).await.is_problem(409, "E-PASSKEY-009", "conflict");
    let begun = send(&server, "POST", "/passkeys/begin", &held, &json!({"password": PASSWORD})).await;
    begun.is_problem(409, "E-PASSKEY-009", "conflict");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn behind_tls_the_challenge_is_bound_to_a_cookie_for_tls() {
    let server = Server::for_passkeys("https://toji.example").await;
    let held = format!("__Host-toji-session={}", member(&server, "hanako", None, &["scientist"]).await);
    // Where everybody needs a second factor, a passkey can be set up as one, and nothing goes before it.
    send(&server, "POST", "/passkeys/rename", &held, &json!({})).await.is_problem(403, "E-LOGIN-013", "denied");
    let mut soft = Soft::edwards(1, "https://toji.example");
    let (held, _) = register(&server, &held, &mut soft).await;
    let listed = server.send("GET", "/api/v1/operations", &[("cookie", &held)], b"").await;
    assert_eq!(listed.status, 200, "{}", listed.text());
    let begun = send(&server, "POST", "/passkey/begin", "", &json!({})).await;
    let set = begun.header("set-cookie");
    assert!(set.starts_with("__Host-toji-passkey=") && set.contains("HttpOnly; SameSite=Strict; Max-Age=300; Secure"), "{set}");
    let answer = json!({"credential": soft.get(&begun.json()["options"])});
    let entered = send(&server, "POST", "/passkey", &cookie(&begun), &answer).await;
    assert!(entered.status == 200 && cookie(&entered).starts_with("__Host-toji-session="), "{}", entered.text());
}
