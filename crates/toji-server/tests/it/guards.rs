//! Pages of other sites, other names, and the headers of every answer.

use crate::client::Server;

const JSON: (&str, &str) = ("content-type", "application/json");

#[tokio::test]
async fn other_names_of_this_address_get_nothing() {
    let server = Server::own().await;
    for host in ["rebound.example", "rebound.example:80", "localhost.rebound.example", "10.1.2.3"] {
        server.send("GET", "/api/v1/test/echo", &[("host", host)], b"").await.is_problem(421, "E-HTTP-001", "denied");
        server.send("GET", "/", &[("host", host)], b"").await.is_problem(421, "E-HTTP-001", "denied");
    }
    let port = server.address.port();
    for host in [format!("localhost:{port}"), format!("[::1]:{port}"), "127.0.0.1:9000".to_owned()] {
        assert_eq!(server.send("GET", "/healthz", &[("host", &host)], b"").await.status, 200, "{host}");
    }
}

#[tokio::test]
async fn pages_of_other_sites_cannot_write() {
    let server = Server::own().await;
    let own = format!("http://{}", server.address);
    let write = async |headers: &[(&str, &str)]| server.send("POST", "/api/v1/test/write", headers, b"{}").await;
    assert_eq!(write(&[JSON]).await.status, 200);
    assert_eq!(write(&[JSON, ("origin", &own)]).await.status, 200);
    write(&[JSON, ("origin", "https://elsewhere.example")]).await.is_problem(403, "E-HTTP-002", "denied");
    write(&[JSON, ("origin", "http://localhost:3000")]).await.is_problem(403, "E-HTTP-002", "denied");
    write(&[JSON, ("origin", "null")]).await.is_problem(403, "E-HTTP-002", "denied");
    write(&[JSON, ("sec-fetch-site", "cross-site")]).await.is_problem(403, "E-HTTP-002", "denied");
    // What a form without script can send.
    for kind in ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x"] {
        write(&[("content-type", kind)]).await.is_problem(415, "E-HTTP-003", "input");
    }
    let bare = server.send("POST", "/api/v1/test/write", &[], b"").await;
    bare.is_problem(415, "E-HTTP-003", "input");
    let foreign = server.send("DELETE", "/api/v1/jobs/job-1", &[("origin", "https://elsewhere.example")], b"").await;
    foreign.is_problem(403, "E-HTTP-002", "denied");
}

#[tokio::test]
async fn every_answer_carries_the_headers_that_bind_the_browser() {
    let server = Server::own().await;
    for path in ["/", "/healthz", "/api/v1/test/echo", "/api/v1/nowhere", "/api/v1/test/explode", "/assets/none.js"] {
        let answer = server.get(path).await;
        let policy = answer.header("content-security-policy");
        assert!(
            policy.starts_with("default-src 'self'; ")
                && policy.contains("frame-ancestors 'none'")
                && policy.contains("object-src 'none'"),
            "{path}: {policy}"
        );
        assert!(!policy.contains("script-src"), "scripts come from here alone");
        assert_eq!(answer.header("x-content-type-options"), "nosniff", "{path}");
        assert_eq!(answer.header("referrer-policy"), "no-referrer", "{path}");
        assert_eq!(answer.header("cross-origin-opener-policy"), "same-origin", "{path}");
        assert_eq!(answer.header("access-control-allow-origin"), "", "{path}");
    }
    assert_eq!(server.get("/api/v1/test/echo").await.header("cache-control"), "no-store");
}

#[tokio::test]
async fn a_path_of_the_page_gets_the_page_or_the_notice() {
    let server = Server::own().await;
    let built = concat!(env!("CARGO_MANIFEST_DIR"), "/../../ui/dist/index.html");
    let answers = [server.get("/").await, server.get("/runs/run-1?from=3").await];
    for answer in answers {
        if std::path::Path::new(built).exists() {
            assert_eq!(answer.status, 200);
            assert_eq!(answer.header("cache-control"), "no-cache");
            let tag = answer.header("etag").to_owned();
            assert_eq!(server.send("GET", "/", &[("if-none-match", &tag)], b"").await.status, 304);
        } else {
            assert_eq!(answer.status, 503);
            assert!(answer.text().contains("make ui") && answer.text().contains("画面"));
        }
        assert_eq!(answer.header("content-type"), "text/html; charset=utf-8");
    }
    assert_eq!(server.get("/assets/none-0000.js").await.status, 404);
    assert_eq!(server.send("POST", "/runs", &[JSON], b"{}").await.status, 405);
}
