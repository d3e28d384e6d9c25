//! The registry of Toji as the world sees it.

use crate::client::Server;

#[tokio::test]
async fn the_list_of_operations_follows_the_registry() {
    let server = Server::real().await;
    let listed = server.get("/api/v1/operations").await.json();
    let listed = listed["operations"].as_array().unwrap();
    assert_eq!(listed.len(), toji_ops::operations().len());
    for (shown, operation) in listed.iter().zip(toji_ops::operations()) {
        assert_eq!(shown["name"], operation.name);
        assert_eq!(shown["label"]["ja"], operation.label.ja);
        assert!(shown["effect"] == "read" || shown["effect"] == "write");
        assert!(shown["input"].is_object() && !shown["example"].as_str().unwrap().is_empty());
    }
}

#[tokio::test]
async fn openapi_has_a_path_for_every_operation() {
    let server = Server::real().await;
    let answer = server.get("/api/v1/openapi.json").await;
    assert_eq!(answer.header("content-type"), "application/json");
    let document = answer.json();
    assert_eq!(document["openapi"], "3.1.0");
    let mut ids: Vec<&str> = Vec::new();
    for path in document["paths"].as_object().unwrap().values() {
        ids.extend(path.as_object().unwrap().values().filter_map(|method| method["operationId"].as_str()));
    }
    let count = ids.len();
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), count, "operation ids are unique");
    for operation in toji_ops::operations() {
        let path = format!("/api/v1/{}", operation.name.replace(' ', "/"));
        assert!(document["paths"][&path]["post"].is_object(), "{path}");
    }
    assert_eq!(answer.text(), toji_server::openapi::text(toji_ops::operations()));
}

#[tokio::test]
async fn health_is_told_without_a_store() {
    let answer = Server::real().await.get("/healthz").await;
    assert_eq!((answer.status, answer.json()["status"].as_str()), (200, Some("ok")));
}

#[test]
fn the_committed_document_is_the_one_served() {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../ui/openapi.json");
    let served = toji_server::openapi::text(toji_ops::operations());
    if std::env::var_os("TOJI_BLESS").is_some() {
        std::fs::write(&path, &served).unwrap();
    }
    let committed = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(committed == served, "ui/openapi.json is not what the operations declare: run `make api` and look at the difference");
}
