//! Who may reach what: every operation of the registry and every route, as a guest, as a user without roles and as a
//! scientist of another organisation, over the real router; and the way in.

use crate::client::{Answer, Server};
use serde_json::{Value as Json, json};
use std::collections::BTreeMap;
use toji_core::kind::FieldType;
use toji_core::{Kind, KindSet};
use toji_ops::{Asker, Client, Effect, Operation, Progress};

/// Stands in every text of the competitive records, and in nothing that is asked.
const MARKER: &str = "zqxmarker7";
/// Stands beside it, and is asked for.
const WORD: &str = "koujikin";
pub(crate) const PASSWORD: &str = "violet harbor lantern";
pub(crate) const JSON_BODY: (&str, &str) = ("content-type", "application/json");

/// Routes beside the operations that are open to everybody.
const OPEN: [&str; 9] = [
    "/healthz",
    "/api/v1/operations",
    "/api/v1/session",
    "/api/v1/session/enrol",
    "/api/v1/session/node",
    "/api/v1/session/passkey",
    "/api/v1/session/passkey/begin",
    "/api/v1/session/provider",
    "/api/v1/session/provider/begin",
];

/// A server whose store has users and competitive records.
struct World {
    server: Server,
    /// Tokens by user.
    tokens: BTreeMap<&'static str, String>,
    /// Identifiers by kind.
    ids: BTreeMap<String, String>,
}

pub(crate) async fn as_owner(server: &Server, name: &str, input: Json) -> toji_core::Result<Json> {
    let now = toji_server::now();
    let context = server.session.context_of(&Asker::Owner, Progress::silent(), now).await.unwrap();
    Ok(toji_ops::operation(name)?.run(context, input).await?.json)
}

/// Invited by the owner, enrolled, with an open session.
pub(crate) async fn member(server: &Server, user: &str, organisation: Option<&str>, roles: &[&str]) -> String {
    let invited = json!({"user": user, "organisation": organisation, "roles": roles});
    let invited = as_owner(server, "user invite", invited).await.unwrap();
    let code = invited["enrolment_code"].as_str().unwrap();
    let client = Client { address: "192.0.2.1".into(), agent: "test".into() };
    let now = toji_server::now();
    let entered = server.session.enrol(user, code, PASSWORD, &client, now).await.map_err(|not_in| not_in.error).unwrap();
    entered.token.reveal().to_owned()
}

/// Fields of a record with the marker wherever there is a text.
fn marked(kind: &Kind, ids: &BTreeMap<String, String>) -> Json {
    let mut fields = serde_json::Map::new();
    for field in &kind.fields {
        let value = match field.field_type {
            FieldType::Text => json!(format!("{WORD} {MARKER}")),
            FieldType::Choice if Some(&field.name) == kind.area_field.as_ref() => json!("competitive"),
            FieldType::Ref => match ids.get(field.target.as_deref().unwrap_or_default()) {
                Some(id) => json!(id),
                None => continue,
            },
            FieldType::Choice if field.required => json!(field.choices[0].code),
            FieldType::Number if field.required => json!(1.5),
            FieldType::Integer if field.required => json!(3),
            FieldType::Boolean if field.required => json!(true),
            FieldType::Instant if field.required => json!("2026-04-01T00:00:00Z"),
            _ => continue,
        };
        let value = if field.many { json!([value]) } else { value };
        fields.insert(field.name.clone(), value);
    }
    Json::Object(fields)
}

impl World {
    /// Where a commons was founded, by the organisation that all of it belongs to.
    async fn founded() -> Self {
        let world = Self::new().await;
        as_owner(&world.server, "commons found", json!({"organisation": "acme", "country": "JP"})).await.unwrap();
        world
    }
    async fn new() -> Self {
        let server = Server::real().await;
        for organisation in ["acme", "beta", "hub"] {
            let input = json!({"kind": "organisation", "id": organisation, "fields": {"name": organisation}});
            as_owner(&server, "record put", input).await.unwrap();
        }
        let mut ids = BTreeMap::new();
        let kinds: Vec<&Kind> = KindSet::builtin().unwrap().iter().filter(|kind| !kind.derived).collect();
        // Twice, so that references find what they name; first those that others name.
        for _ in 0..2 {
            let first = ["strain", "vessel", "experiment", "run", "channel", "sample"].iter();
            let first = first.filter_map(|name| kinds.iter().find(|kind| kind.kind == **name));
            for kind in first.chain(&kinds) {
                let of_run = ["sample", "assay", "event", "observation", "decision", "channel"].contains(&kind.kind.as_str());
                if kind.area_field.is_none() && !of_run {
                    continue;
                }
                let id = format!("id-{}", kind.kind);
                let input = json!({"kind": kind.kind, "id": id, "fields": marked(kind, &ids)});
                if as_owner(&server, "record put", input).await.is_ok() {
                    ids.insert(kind.kind.clone(), id);
                }
            }
        }
        for kind in ["run", "sample", "strain", "event", "decision", "need", "project", "material"] {
            assert!(ids.contains_key(kind), "{kind} could not be seeded: {ids:?}");
        }
        let mut tokens = BTreeMap::new();
        tokens.insert("plain", member(&server, "plain", None, &[]).await);
        tokens.insert("outsider", member(&server, "outsider", Some("beta"), &["scientist"]).await);
        tokens.insert("operator", member(&server, "operator", Some("hub"), &["operator"]).await);
        Self { server, tokens, ids }
    }
    async fn send(&self, who: &str, method: &str, path: &str, headers: &[(&str, &str)], body: &[u8]) -> Answer {
        let mut all = headers.to_vec();
        let cookie = self.tokens.get(who).map(|token| format!("toji-session={token}"));
        if let Some(cookie) = &cookie {
            all.push(("cookie", cookie));
        }
        self.server.send(method, path, &all, body).await
    }
    async fn post(&self, who: &str, path: &str, body: &Json) -> Answer {
        self.send(who, "POST", path, &[JSON_BODY], body.to_string().as_bytes()).await
    }

    /// Inputs of an operation that go as far as its schema allows: the identifiers of the seeded records by the names
    /// of the fields, words that are found, statements that read.
    fn inputs(&self, operation: &Operation) -> Vec<Json> {
        let schema = operation.input.as_value();
        let required: Vec<&str> = schema["required"].as_array().into_iter().flatten().filter_map(Json::as_str).collect();
        let properties = schema["properties"].as_object().cloned().unwrap_or_default();
        let mut inputs = Vec::new();
        let kinds: Vec<&String> = self.ids.keys().collect();
        let rounds = if properties.contains_key("kind") { kinds.len() } else { 1 };
        for round in 0..rounds {
            let kind = kinds[round % kinds.len()];
            for fill_all in [false, true] {
                let mut input = serde_json::Map::new();
                for (name, field) in &properties {
                    if !fill_all && !required.contains(&name.as_str()) {
                        continue;
                    }
                    if let Some(value) = self.value(name, field, kind, schema) {
                        input.insert(name.clone(), value);
                    }
                }
                inputs.push(Json::Object(input));
            }
        }
        inputs.extend(match operation.name {
            "sql" | "store sql" => ["run", "sample", "strain", "observation", "experiment"]
                .iter()
                .flat_map(|kind| {
                    [json!({"query": format!("SELECT * FROM {kind}")}), json!({"sql": format!("SELECT * FROM {kind}")})]
                })
                .collect(),
            _ => Vec::new(),
        });
        inputs
    }

    fn value(&self, name: &str, field: &Json, kind: &str, root: &Json) -> Option<Json> {
        let one = name.trim_end_matches('s');
        let id = match name {
            "kind" => Some(kind.to_owned()),
            "id" => self.ids.get(kind).cloned(),
            "text" | "words" | "search" => Some(WORD.to_owned()),
            "query" | "sql" => Some("SELECT * FROM run".to_owned()),
            _ => self.ids.get(name).or_else(|| self.ids.get(one)).cloned(),
        };
        let field = match field["$ref"].as_str() {
            Some(path) => root.pointer(path.trim_start_matches('#'))?,
            None => field,
        };
        let sorts: Vec<&str> = match &field["type"] {
            Json::String(sort) => vec![sort.as_str()],
            Json::Array(sorts) => sorts.iter().filter_map(Json::as_str).collect(),
            _ => Vec::new(),
        };
        match (id, sorts.first().copied()) {
            (Some(id), Some("array")) => Some(json!([id])),
            (Some(id), _) => Some(json!(id)),
            (None, Some("integer" | "number")) => Some(json!(10)),
            (None, Some("boolean")) => Some(json!(false)),
            (None, Some("string")) if field["enum"].is_array() => Some(field["enum"][0].clone()),
            (None, Some("string")) => Some(json!("id-run")),
            (None, Some("array")) => Some(json!([])),
            (None, Some("object")) => Some(json!({})),
            (None, _) => field["oneOf"][0].get("const").or_else(|| field["oneOf"][0]["enum"].get(0)).cloned(),
        }
    }
}

fn path_of(operation: &Operation) -> String {
    format!("/api/v1/{}", operation.name.replace(' ', "/"))
}

/// Operations that work upon devices, files and clocks for minutes or begin background work: their reads are covered
/// by those they are made of, and their refusal to guests is tested below.
const APART: [&str; 4] = ["live collect", "protocol run", "store seeds", "store demo"];

/// In a store with a commons nobody of another organisation is told.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_answer_of_any_operation_tells_what_is_competitive() {
    tells_nothing(&World::founded().await, &["guest", "plain", "outsider", "operator"]).await;
}

/// In a store without one roles alone decide: those who have none, or see no data, are not told.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_answer_of_any_operation_tells_more_than_a_role_allows() {
    tells_nothing(&World::new().await, &["guest", "plain", "operator"]).await;
}

async fn tells_nothing(world: &World, strangers: &[&str]) {
    let mut told_owner = Vec::new();
    let mut asked = 0;
    for operation in toji_ops::operations().iter().filter(|operation| !APART.contains(&operation.name)) {
        for input in world.inputs(operation) {
            assert!(!input.to_string().contains(MARKER));
            if operation.effect == Effect::Read {
                // The owner is told: so the same question can tell something.
                let answer = as_owner(&world.server, operation.name, input.clone()).await;
                if answer.is_ok_and(|answer| answer.to_string().contains(MARKER)) {
                    told_owner.push(operation.name);
                }
            }
            for who in strangers.iter().copied() {
                let answer = world.post(who, &path_of(operation), &input).await;
                asked += 1;
                let raw = answer.raw();
                assert!(!raw.contains(MARKER), "{who}: {} {input} is told {raw}", operation.name);
                if who == "guest" && operation.effect == Effect::Write {
                    answer.is_problem(401, "E-LOGIN-010", "denied");
                }
                if answer.status == 202 {
                    panic!("{} became a job", operation.name);
                }
            }
        }
    }
    told_owner.dedup();
    assert!(told_owner.len() >= 12, "the questions are too weak: only {told_owner:?} tell the owner");
    assert!(asked > 700, "{asked}");
    // Files, plots and tables by query, with the download.
    for operation in toji_ops::operations().iter().filter(|operation| operation.effect == Effect::Read) {
        let run = &world.ids["run"];
        for query in
            [format!("?run={run}&download=1"), format!("?run={run}"), format!("?kind=run&id={run}"), "?kind=run".to_owned()]
        {
            for who in strangers.iter().copied() {
                let answer = world.send(who, "GET", &format!("{}{query}", path_of(operation)), &[], b"").await;
                assert!(!answer.raw().contains(MARKER), "{who}: {}{query}", operation.name);
            }
        }
    }
    // Whatever the outsider wrote, nothing competitive has changed.
    for (kind, id) in &world.ids {
        let record = as_owner(&world.server, "record get", json!({"kind": kind, "id": id})).await.unwrap();
        assert!(record.to_string().contains(MARKER), "{kind} {id}: {record}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn guests_reach_what_is_meant_for_everybody_and_nothing_else() {
    let world = World::new().await;
    for operation in toji_ops::operations() {
        let path = path_of(operation);
        let open = operation.effect == Effect::Read && !operation.long;
        for (method, headers) in [
            ("POST", vec![JSON_BODY]),
            ("POST", vec![JSON_BODY, ("prefer", "respond-async")]),
            ("GET", vec![]),
            ("GET", vec![("prefer", "respond-async")]),
        ] {
            let as_job = headers.iter().any(|(name, _)| *name == "prefer");
            let answer = world.send("guest", method, &path, &headers, if method == "POST" { b"{}" } else { b"" }).await;
            let refused = answer.status == 401 && answer.json()["code"] == "E-LOGIN-010";
            let expected = !open || as_job;
            // A write by GET is no path at all.
            let no_method = method == "GET" && operation.effect == Effect::Write;
            assert!(refused == expected || (no_method && answer.status == 405), "{method} {path} {headers:?}: {}", answer.text());
        }
    }
    for (method, path) in [
        ("POST", "/api/v1/upload"),
        ("GET", "/api/v1/jobs/job-1"),
        ("DELETE", "/api/v1/jobs/job-1"),
        ("GET", "/api/v1/jobs/job-1/events"),
        ("GET", "/api/v1/live/stream"),
        ("POST", "/api/v1/session/password"),
        ("POST", "/api/v1/session/second-factor"),
        ("POST", "/api/v1/session/provider/other"),
        ("GET", "/api/v1/session/passkeys"),
        ("POST", "/api/v1/session/passkeys"),
        ("POST", "/api/v1/session/passkeys/begin"),
        ("POST", "/api/v1/session/passkeys/rename"),
        ("POST", "/api/v1/session/passkeys/remove"),
        ("GET", "/api/v1/nowhere"),
        ("GET", "/api"),
        ("GET", "/api/v1/a/b/c"),
        ("POST", "/api/v1/openapi.json"),
    ] {
        let answer = world.send("guest", method, path, &[JSON_BODY], b"{}").await;
        assert_eq!(answer.status, 401, "{method} {path}: {}", answer.text());
        assert!(answer.header("www-authenticate").starts_with("Bearer"), "{method} {path}");
    }
    for path in ["/healthz", "/api/v1/openapi.json", "/api/v1/operations", "/api/v1/session"] {
        let answer = world.send("guest", "GET", path, &[], b"").await;
        assert_eq!(answer.status, 200, "{path}");
        assert!(!answer.raw().contains(MARKER), "{path}");
    }
    let told = world.send("guest", "GET", "/api/v1/session", &[], b"").await.json();
    assert_eq!(
        told,
        json!({"login": true, "second_factor_required": false, "passkey_origin": null, "provider": null, "user": null})
    );
    let told = world.send("outsider", "GET", "/api/v1/session", &[], b"").await.json();
    assert_eq!((&told["user"]["id"], &told["user"]["organisation"]), (&json!("outsider"), &json!("beta")));
    assert_eq!(told["user"]["roles"][0]["code"], "scientist");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_route_of_the_document_is_judged() {
    let world = World::new().await;
    let document = world.server.get("/api/v1/openapi.json").await.json();
    let mut routes = 0;
    for (path, methods) in document["paths"].as_object().unwrap() {
        for method in ["get", "post", "put", "patch", "delete"] {
            if methods[method].is_null() {
                continue;
            }
            routes += 1;
            let path = path.replace("{id}", "job-1");
            let answer =
                world.send("guest", &method.to_uppercase(), &path, &[JSON_BODY], if method == "get" { b"" } else { b"{}" }).await;
            let effect = &methods[method]["x-effect"];
            let own = effect.is_null();
            // What a guest may do answers, or refuses for another reason than the log-in.
            let open = OPEN.contains(&path.as_str());
            let expected = if own { open } else { effect == "read" && methods[method]["x-long"] == false };
            let refused = answer.status == 401 && answer.json()["code"] == "E-LOGIN-010";
            assert_eq!(!refused, expected, "{method} {path}: {} {}", answer.status, answer.text());
        }
    }
    assert!(routes > toji_ops::operations().len());
}

pub(crate) async fn log_in(server: &Server, user: &str, password: &str, headers: &[(&str, &str)]) -> Answer {
    let mut all = vec![JSON_BODY];
    all.extend(headers);
    let body = json!({"user": user, "password": password}).to_string();
    server.send("POST", "/api/v1/session", &all, body.as_bytes()).await
}

pub(crate) fn cookie(answer: &Answer) -> String {
    answer.header("set-cookie").split(';').next().unwrap_or_default().to_owned()
}

pub(crate) async fn who(server: &Server, cookie: &str) -> Json {
    server.send("GET", "/api/v1/session", &[("cookie", cookie)], b"").await.json()["user"]["id"].clone()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_store_without_users_is_open_as_ever() {
    let server = Server::real().await;
    assert_eq!(
        server.get("/api/v1/session").await.json(),
        json!({"login": false, "second_factor_required": false, "passkey_origin": null, "provider": null, "user": null})
    );
    let put = json!({"kind": "organisation", "id": "acme", "fields": {"name": "Acme"}});
    assert_eq!(server.post("/api/v1/record/put", &put).await.status, 200);
    assert_eq!(log_in(&server, "owner", PASSWORD, &[]).await.status, 401);
    // From the first invitation on it is shut.
    let invited = server.post("/api/v1/user/invite", &json!({"user": "hanako", "organisation": "acme"})).await;
    assert_eq!(invited.status, 200, "{}", invited.text());
    assert_eq!(invited.header("cache-control"), "no-store");
    server.post("/api/v1/record/put", &put).await.is_problem(401, "E-LOGIN-010", "denied");
    // Enrolled through the door, she is in.
    let code = invited.json()["enrolment_code"].clone();
    let enrolled = server.post("/api/v1/session/enrol", &json!({"user": "hanako", "code": code, "password": PASSWORD})).await;
    assert_eq!(enrolled.status, 200, "{}", enrolled.text());
    assert_eq!(who(&server, &cookie(&enrolled)).await, "hanako");
    let again = server.post("/api/v1/session/enrol", &json!({"user": "hanako", "code": code, "password": PASSWORD})).await;
    again.is_problem(401, "E-LOGIN-001", "denied");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_cookie_is_bound_and_the_token_is_new_each_time() {
    let server = Server::real().await;
    member(&server, "hanako", None, &[]).await;
    let planted = format!("toji-session={}", "ab".repeat(32));
    let first = log_in(&server, "hanako", PASSWORD, &[("cookie", &planted)]).await;
    assert_eq!(first.status, 200, "{}", first.text());
    let set = first.header("set-cookie");
    assert!(set.starts_with("toji-session=") && set.contains("; Path=/; HttpOnly; SameSite=Strict; Max-Age=86400"), "{set}");
    assert!(!set.contains("Secure") && !set.contains("Domain"), "{set}");
    assert_ne!(cookie(&first), planted);
    assert!(!first.text().contains(cookie(&first).trim_start_matches("toji-session=")), "the token is in the cookie alone");
    assert_eq!(who(&server, &planted).await, Json::Null);
    // Two at once; a log-in from within ends the one it came from.
    let second = log_in(&server, "hanako", PASSWORD, &[]).await;
    assert_eq!((who(&server, &cookie(&first)).await, who(&server, &cookie(&second)).await), (json!("hanako"), json!("hanako")));
    let third = log_in(&server, "hanako", PASSWORD, &[("cookie", &cookie(&first))]).await;
    assert_eq!((who(&server, &cookie(&first)).await, who(&server, &cookie(&third)).await), (Json::Null, json!("hanako")));
    // Out: the token counts no more, and the cookie goes.
    let out = server.send("DELETE", "/api/v1/session", &[("cookie", &cookie(&third))], b"").await;
    assert!(out.status == 200 && out.header("set-cookie").contains("Max-Age=0") && out.header("clear-site-data") == "\"cache\"");
    assert_eq!(who(&server, &cookie(&third)).await, Json::Null);
    assert_eq!(who(&server, &cookie(&second)).await, "hanako");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn behind_tls_the_cookie_is_for_tls_alone() {
    let server = Server::behind_tls().await;
    member(&server, "hanako", None, &[]).await;
    let name = [("host", "toji.example"), ("origin", "https://toji.example"), ("x-forwarded-for", "203.0.113.9")];
    let entered = log_in(&server, "hanako", PASSWORD, &name).await;
    let set = entered.header("set-cookie");
    assert!(set.starts_with("__Host-toji-session=") && set.ends_with("; Secure") && !set.contains("Domain"), "{set}");
    assert_eq!(entered.header("strict-transport-security"), "max-age=31536000; includeSubDomains");
    assert_eq!(who(&server, &cookie(&entered)).await, "hanako");
    // A cookie of the plain name, which another host of the domain could set, is not looked at.
    let plain = cookie(&entered).trim_start_matches("__Host-").to_owned();
    assert_eq!(who(&server, &plain).await, Json::Null);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn pages_of_other_sites_can_neither_log_in_nor_act() {
    let server = Server::real().await;
    let token = member(&server, "hanako", None, &["scientist"]).await;
    let held = format!("toji-session={token}");
    for other in [
        ("origin", "https://elsewhere.example"),
        ("origin", "null"),
        ("sec-fetch-site", "cross-site"),
        ("sec-fetch-site", "same-site"),
    ] {
        for (method, path) in [
            ("POST", "/api/v1/session"),
            ("DELETE", "/api/v1/session"),
            ("POST", "/api/v1/session/enrol"),
            ("POST", "/api/v1/session/node"),
            ("POST", "/api/v1/session/password"),
            ("POST", "/api/v1/session/second-factor"),
            ("POST", "/api/v1/record/put"),
            ("POST", "/api/v1/upload"),
        ] {
            let answer = server.send(method, path, &[JSON_BODY, ("cookie", &held), other], b"{}").await;
            answer.is_problem(403, "E-HTTP-002", "denied");
        }
    }
    for kind in ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x"] {
        for path in [
            "/api/v1/session",
            "/api/v1/session/enrol",
            "/api/v1/session/node",
            "/api/v1/session/password",
            "/api/v1/session/second-factor",
        ] {
            let answer = server.send("POST", path, &[("content-type", kind), ("cookie", &held)], b"{}").await;
            answer.is_problem(415, "E-HTTP-003", "input");
        }
    }
    assert_eq!(who(&server, &held).await, "hanako", "still in");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn guessing_is_slowed_and_tells_nothing() {
    let server = Server::real().await;
    member(&server, "hanako", None, &[]).await;
    let mut told: BTreeMap<&str, Vec<(u16, String)>> = BTreeMap::new();
    for user in ["hanako", "nobody-of-this-name"] {
        for _ in 0..7 {
            let answer = log_in(&server, user, "a wrong password", &[]).await;
            let text = answer.text();
            assert!(answer.header("set-cookie").is_empty() && !text.contains(user) && !text.contains("a wrong"), "{text}");
            if answer.status == 429 {
                let wait: u32 = answer.header("retry-after").parse().unwrap();
                assert!((1..=900).contains(&wait));
            }
            let code = answer.json()["code"].as_str().unwrap().to_owned();
            told.entry(user).or_default().push((answer.status, code));
        }
    }
    assert_eq!(told["hanako"], told["nobody-of-this-name"]);
    let statuses: Vec<u16> = told["hanako"].iter().map(|(status, _)| *status).collect();
    assert_eq!(statuses, [401, 401, 401, 401, 401, 429, 429]);
    // The right password does not help either while the delay lasts.
    assert_eq!(log_in(&server, "hanako", PASSWORD, &[]).await.status, 429);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_new_password_ends_every_session() {
    let server = Server::real().await;
    member(&server, "hanako", None, &[]).await;
    let body = json!({"user": "hanako", "password": PASSWORD, "bearer": true});
    let program = server.post("/api/v1/session", &body).await;
    assert!(program.header("set-cookie").is_empty());
    let bearer = format!("Bearer {}", program.json()["token"].as_str().unwrap());
    let by_token = async |path: &str| server.send("GET", path, &[("authorization", &bearer)], b"").await;
    assert_eq!(by_token("/api/v1/session").await.json()["user"]["id"], "hanako");
    let page = log_in(&server, "hanako", PASSWORD, &[]).await;
    let change = json!({"password": PASSWORD, "new_password": "quiet meadow turbine"}).to_string();
    let headers = [JSON_BODY, ("cookie", &cookie(&page))];
    let changed = server.send("POST", "/api/v1/session/password", &headers, change.as_bytes()).await;
    assert_eq!(changed.status, 200, "{}", changed.text());
    assert_eq!(who(&server, &cookie(&page)).await, Json::Null);
    assert_eq!(who(&server, &cookie(&changed)).await, "hanako");
    by_token("/api/v1/session").await.is_problem(401, "E-LOGIN-011", "denied");
    by_token("/api/v1/record/list?kind=run").await.is_problem(401, "E-LOGIN-011", "denied");
    assert_eq!(log_in(&server, "hanako", PASSWORD, &[]).await.status, 401);
    assert_eq!(log_in(&server, "hanako", "quiet meadow turbine", &[]).await.status, 200);
    // Out of use: nothing counts any more.
    as_owner(&server, "user lock", json!({"user": "hanako"})).await.unwrap();
    assert_eq!(who(&server, &cookie(&changed)).await, Json::Null);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_second_factor_is_taken_up_over_http() {
    let server = Server::real().await;
    let token = member(&server, "hanako", None, &[]).await;
    let held = format!("toji-session={token}");
    let send = async |body: Json| {
        server.send("POST", "/api/v1/session/second-factor", &[JSON_BODY, ("cookie", &held)], body.to_string().as_bytes()).await
    };
    send(json!({})).await.is_problem(422, "E-LOGIN-012", "input");
    send(json!({"password": "wrong"})).await.is_problem(401, "E-LOGIN-001", "denied");
    send(json!({"code": "123456"})).await.is_problem(409, "E-LOGIN-007", "conflict");
    let begun = send(json!({"password": PASSWORD})).await;
    assert!(begun.json()["uri"].as_str().unwrap().starts_with("otpauth://totp/Toji:hanako?secret="), "{}", begun.text());
    send(json!({"code": "not a code"})).await.is_problem(401, "E-LOGIN-001", "denied");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn where_a_second_factor_is_asked_for_nothing_goes_without() {
    let server = Server::with_second_factor().await;
    let token = member(&server, "hanako", None, &["scientist"]).await;
    let held = format!("toji-session={token}");
    let get = async |path: &str| server.send("GET", path, &[("cookie", &held)], b"").await;
    for path in
        ["/api/v1/run/list", "/api/v1/record/list?kind=run", "/api/v1/operations", "/api/v1/live/stream", "/api/v1/jobs/x"]
    {
        get(path).await.is_problem(403, "E-LOGIN-013", "denied");
    }
    let told = get("/api/v1/session").await.json();
    assert_eq!((&told["second_factor_required"], &told["user"]["second_factor"]), (&json!(true), &json!(false)));
    let body = json!({"password": PASSWORD}).to_string();
    let begun = server.send("POST", "/api/v1/session/second-factor", &[JSON_BODY, ("cookie", &held)], body.as_bytes()).await;
    assert_eq!(begun.status, 200, "{}", begun.text());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_wrong_with_a_body_is_not_repeated() {
    let server = Server::real().await;
    member(&server, "hanako", None, &[]).await;
    for body in [
        format!(r#"{{"user": "hanako", "password": "{PASSWORD}""#),
        format!(r#"{{"user": "hanako", "password": ["{PASSWORD}"]}}"#),
        format!(r#"{{"user": "hanako", "password": "x", "{PASSWORD}": 1}}"#),
        format!(r#""{PASSWORD}""#),
    ] {
        let answer = server.send("POST", "/api/v1/session", &[JSON_BODY], body.as_bytes()).await;
        answer.is_problem(422, "E-LOGIN-012", "input");
        assert!(!answer.text().contains("violet"), "{}", answer.text());
    }
    let long = json!({"user": "hanako", "password": "x".repeat(20_000)}).to_string();
    server.send("POST", "/api/v1/session", &[JSON_BODY], long.as_bytes()).await.is_problem(413, "E-HTTP-007", "limit");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn jobs_are_seen_by_who_submitted_them() {
    let world = World::new().await;
    let taken = world.send("outsider", "POST", "/api/v1/user/list", &[JSON_BODY, ("prefer", "respond-async")], b"{}").await;
    assert_eq!(taken.status, 202, "{}", taken.text());
    let job = format!("/api/v1/jobs/{}", taken.json()["job"].as_str().unwrap());
    let events = world.send("outsider", "GET", &format!("{job}/events"), &[], b"").await;
    assert!(events.text().contains(r#""state":"done""#), "{}", events.text());
    for who in ["plain", "operator"] {
        for (method, path) in [("GET", job.clone()), ("DELETE", job.clone()), ("GET", format!("{job}/events"))] {
            world.send(who, method, &path, &[], b"").await.is_problem(404, "E-JOB-002", "not-found");
        }
    }
    let once = [JSON_BODY, ("prefer", "respond-async")];
    let invite = world.send("operator", "POST", "/api/v1/user/invite", &once, br#"{"user":"x"}"#).await;
    invite.is_problem(422, "E-JOB-015", "input");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_store_without_users_is_not_opened_to_other_machines() {
    let server = Server::real().await;
    let bind = async |address: [u8; 4], behind_tls: bool, without_login: bool| {
        let address = (std::net::Ipv4Addr::from(address), 0).into();
        let options = toji_server::ServeOptions { address, behind_tls, without_login, ..toji_server::ServeOptions::default() };
        toji_server::Server::bind(server.session.clone(), options).await.map(|_| ()).map_err(|e| e.code())
    };
    let any = [0, 0, 0, 0];
    let here = [127, 0, 0, 1];
    assert_eq!(bind(any, false, false).await, Err("E-SERVE-003"));
    assert_eq!(bind(here, true, false).await, Err("E-SERVE-003"));
    assert_eq!(bind(any, false, true).await, Ok(()));
    assert_eq!(bind(here, false, false).await, Ok(()));
    member(&server, "hanako", None, &[]).await;
    assert_eq!(bind(any, false, false).await, Ok(()));
    assert_eq!(bind(here, true, false).await, Ok(()));
}
