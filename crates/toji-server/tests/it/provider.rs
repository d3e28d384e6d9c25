//! A log-in at an OpenID provider: against one that runs in the test, signs with real keys, and lies where it is told to.

use crate::client::{Answer, Server};
use crate::passkeys::soft::Soft;
use crate::people::{JSON_BODY, PASSWORD, as_owner, cookie, log_in, member, who};
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use ring::rand::SystemRandom;
use ring::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair as _};
use serde_json::{Value as Json, json};
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use toji_server::{Provider, ProviderSettings};
use tokio::net::{TcpListener, TcpStream};

const ORIGIN: &str = "http://localhost:8080";
const CLIENT: &str = "toji ü";
const SECRET: &str = "hush: 100 % secret";

/// A code that was handed out.
struct Grant {
    challenge: String,
    nonce: String,
    redirect: String,
}

struct Shared {
    issuer: String,
    /// Keys by name; those that are published.
    keys: BTreeMap<String, EcdsaKeyPair>,
    published: Vec<String>,
    /// By which it signs.
    signs: String,
    grants: BTreeMap<String, Grant>,
    /// Claims in place of the true ones.
    lie: Json,
    /// The token, made otherwise.
    forge: Option<fn(&str) -> String>,
    asked_for_keys: usize,
    codes: usize,
    /// Nothing but failures.
    down: bool,
}

type Op = Arc<Mutex<Shared>>;

fn key() -> EcdsaKeyPair {
    let random = SystemRandom::new();
    let pkcs8 = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &random).unwrap();
    EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, pkcs8.as_ref(), &random).unwrap()
}

fn code(bytes: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

fn fields(query: &str) -> BTreeMap<String, String> {
    let plain = |text: &str| {
        let (mut bytes, mut rest) = (Vec::new(), text.bytes());
        while let Some(b) = rest.next() {
            if b == b'%' {
                let hex = [rest.next().unwrap(), rest.next().unwrap()];
                bytes.push(u8::from_str_radix(std::str::from_utf8(&hex).unwrap(), 16).unwrap());
            } else {
                bytes.push(b);
            }
        }
        String::from_utf8(bytes).unwrap()
    };
    query.split('&').filter_map(|pair| pair.split_once('=')).map(|(name, value)| (plain(name), plain(value))).collect()
}

async fn discovery(State(op): State<Op>) -> Response {
    let op = op.lock().unwrap();
    if op.down {
        return StatusCode::SERVICE_UNAVAILABLE.into_response();
    }
    let at = |path: &str| format!("{}{path}", op.issuer);
    axum::Json(json!({
        "issuer": op.issuer, "authorization_endpoint": at("/authorize"), "token_endpoint": at("/token"), "jwks_uri": at("/jwks"),
        "authorization_response_iss_parameter_supported": true,
    }))
    .into_response()
}

async fn jwks(State(op): State<Op>) -> Response {
    let mut op = op.lock().unwrap();
    op.asked_for_keys += 1;
    let keys = op.published.iter().map(|name| {
        let point = op.keys[name].public_key().as_ref();
        json!({"kty": "EC", "crv": "P-256", "use": "sig", "kid": name, "x": code(&point[1..33]), "y": code(&point[33..])})
    });
    axum::Json(json!({"keys": keys.collect::<Vec<_>>()})).into_response()
}

fn sign(op: &Shared, claims: &Json) -> String {
    let head = json!({"alg": "ES256", "kid": op.signs, "typ": "JWT"});
    let signed = format!("{}.{}", code(head.to_string().as_bytes()), code(claims.to_string().as_bytes()));
    let signature = op.keys[&op.signs].sign(&SystemRandom::new(), signed.as_bytes()).unwrap();
    format!("{signed}.{}", code(signature.as_ref()))
}

/// Exchanges a code, once, for whoever shows secret and verifier.
async fn token(State(op): State<Op>, headers: HeaderMap, body: Bytes) -> Response {
    let mut op = op.lock().unwrap();
    let form = fields(std::str::from_utf8(&body).unwrap());
    let basic = headers.get("authorization").and_then(|value| value.to_str().ok()?.strip_prefix("Basic ")).unwrap_or_default();
    let basic = String::from_utf8(STANDARD.decode(basic).unwrap()).unwrap();
    let (client, secret) = basic.split_once(':').unwrap();
    let who = fields(&format!("client={client}&secret={secret}"));
    let grant = op.grants.remove(&form["code"]);
    let hash = ring::digest::digest(&ring::digest::SHA256, form["code_verifier"].as_bytes());
    let fits =
        grant.as_ref().is_some_and(|grant| grant.challenge == code(hash.as_ref()) && grant.redirect == form["redirect_uri"]);
    if !fits || who["client"] != CLIENT || who["secret"] != SECRET || form["grant_type"] != "authorization_code" {
        return (StatusCode::BAD_REQUEST, axum::Json(json!({"error": "invalid_grant"}))).into_response();
    }
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
    let nonce = grant.unwrap().nonce;
    let mut claims = json!({"iss": op.issuer, "sub": "3f9a", "aud": CLIENT, "exp": now + 300, "iat": now, "nonce": nonce});
    for (name, value) in op.lie.as_object().unwrap() {
        claims[name] = value.clone();
    }
    let token = sign(&op, &claims);
    let token = op.forge.map_or_else(|| token.clone(), |forge| forge(&token));
    axum::Json(json!({"access_token": "x", "token_type": "Bearer", "id_token": token})).into_response()
}

/// A socket that speaks TLS.
struct TlsListener(TcpListener, tokio_rustls::TlsAcceptor);

impl axum::serve::Listener for TlsListener {
    type Io = tokio_rustls::server::TlsStream<TcpStream>;
    type Addr = SocketAddr;
    async fn accept(&mut self) -> (Self::Io, Self::Addr) {
        loop {
            let Ok((stream, address)) = self.0.accept().await else { continue };
            if let Ok(stream) = self.1.accept(stream).await {
                return (stream, address);
            }
        }
    }
    fn local_addr(&self) -> std::io::Result<Self::Addr> {
        self.0.local_addr()
    }
}

fn tls() -> tokio_rustls::TlsAcceptor {
    use rustls::pki_types::pem::PemObject as _;
    use rustls::pki_types::{CertificateDer, PrivateKeyDer};
    let certificate = CertificateDer::from_pem_slice(include_bytes!("tls/cert.pem")).unwrap();
    let key = PrivateKeyDer::from_pem_slice(include_bytes!("tls/key.pem")).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = rustls::ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
    let config = config.with_no_client_auth().with_single_cert(vec![certificate], key).unwrap();
    Arc::new(config).into()
}

async fn op(secure: bool) -> Op {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let scheme = if secure { "https" } else { "http" };
    let issuer = format!("{scheme}://localhost:{}", listener.local_addr().unwrap().port());
    let shared = Shared {
        issuer,
        keys: BTreeMap::from([("one".into(), key())]),
        published: vec!["one".into()],
        signs: "one".into(),
        grants: BTreeMap::new(),
        lie: json!({}),
        forge: None,
        asked_for_keys: 0,
        codes: 0,
        down: false,
    };
    let op = Arc::new(Mutex::new(shared));
    let router = axum::Router::new()
        .route("/.well-known/openid-configuration", get(discovery))
        .route("/jwks", get(jwks))
        .route("/token", post(token))
        .with_state(Arc::clone(&op));
    if secure {
        tokio::spawn(async move { axum::serve(TlsListener(listener, tls()), router).await.unwrap() });
    } else {
        tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
    }
    op
}

fn settings(op: &Op, more: &str) -> ProviderSettings {
    let issuer = op.lock().unwrap().issuer.clone();
    let text = format!(
        "issuer = {issuer:?}\nname = \"Acme ID\"\nclient_id = {CLIENT:?}\nclient_secret_env = \"SECRET\"\n{more}\n\
         [users]\n\"3f9a\" = \"hanako\"\n\"77\" = \"nobody-here\"\n"
    );
    ProviderSettings::read(&text, |_| Some(SECRET.to_owned())).unwrap()
}

async fn server(op: &Op, more: &str) -> Server {
    Server::with_provider(ORIGIN, Provider::new(settings(op, more)).unwrap()).await
}

async fn send(server: &Server, path: &str, cookies: &str, body: &Json) -> Answer {
    let headers = [JSON_BODY, ("cookie", cookies)];
    server.send("POST", &format!("/api/v1/session/provider{path}"), &headers, body.to_string().as_bytes()).await
}

/// The browser goes to the provider, where somebody logs in: the cookie of the log-in, and what comes back.
async fn go(server: &Server, op: &Op) -> (String, Json) {
    let begun = send(server, "/begin", "", &json!({})).await;
    assert_eq!(begun.status, 200, "{}", begun.text());
    let set = begun.header("set-cookie");
    assert!(set.starts_with("toji-provider=") && set.contains("HttpOnly; SameSite=Strict"), "{set}");
    let address = begun.json()["address"].as_str().unwrap().to_owned();
    let mut op = op.lock().unwrap();
    let query = fields(address.strip_prefix(&format!("{}/authorize?", op.issuer)).unwrap());
    assert_eq!((query["response_type"].as_str(), query["code_challenge_method"].as_str()), ("code", "S256"));
    assert_eq!((query["client_id"].as_str(), query["scope"].as_str()), (CLIENT, "openid"));
    assert_eq!(query["redirect_uri"], format!("{ORIGIN}/signed-in"));
    op.codes += 1;
    let given = format!("code-{}", op.codes);
    let (challenge, nonce, redirect) = (query["code_challenge"].clone(), query["nonce"].clone(), query["redirect_uri"].clone());
    op.grants.insert(given.clone(), Grant { challenge, nonce, redirect });
    (cookie(&begun), json!({"code": given, "state": query["state"], "iss": op.issuer}))
}

/// All of it at once.
async fn enter(server: &Server, op: &Op) -> Answer {
    let (ticket, back) = go(server, op).await;
    send(server, "", &ticket, &back).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_person_of_the_provider_is_let_in_as_who_the_configuration_says() {
    let op = op(false).await;
    let server = server(&op, "").await;
    assert_eq!(server.get("/api/v1/session").await.json()["provider"], "Acme ID");
    // Invited, and enrolled by the provider; with the roles that stand in the store.
    let invited = json!({"user": "hanako", "roles": ["scientist"]});
    let code = as_owner(&server, "user invite", invited).await.unwrap()["enrolment_code"].clone();
    let entered = enter(&server, &op).await;
    assert_eq!(entered.status, 200, "{}", entered.text());
    assert_eq!(who(&server, &cookie(&entered)).await, "hanako");
    let user = as_owner(&server, "user list", json!({})).await.unwrap()["users"][0].clone();
    assert_eq!((&user["account_state"], &user["roles"]), (&json!("active"), &json!(["scientist"])));
    // The code of the invitation is used up by it.
    let enrol = json!({"user": "hanako", "code": code, "password": PASSWORD});
    server.post("/api/v1/session/enrol", &enrol).await.is_problem(401, "E-LOGIN-001", "denied");
    // Claims of roles give none.
    op.lock().unwrap().lie = json!({"roles": ["operator"], "commons_roles": ["operator"], "groups": ["admin"]});
    assert_eq!(enter(&server, &op).await.status, 200);
    let user = as_owner(&server, "user list", json!({})).await.unwrap()["users"][0].clone();
    assert_eq!(user["roles"], json!(["scientist"]));
    // Whoever is not named gets in as nobody, and nobody is made; nor does a name that stands for nobody.
    op.lock().unwrap().lie = json!({"sub": "4711"});
    enter(&server, &op).await.is_problem(403, "E-PROVIDER-006", "denied");
    op.lock().unwrap().lie = json!({"sub": "77"});
    enter(&server, &op).await.is_problem(401, "E-LOGIN-001", "denied");
    assert_eq!(as_owner(&server, "user list", json!({})).await.unwrap()["users"].as_array().unwrap().len(), 1);
    // Locked is locked.
    op.lock().unwrap().lie = json!({});
    as_owner(&server, "user lock", json!({"user": "hanako"})).await.unwrap();
    enter(&server, &op).await.is_problem(401, "E-LOGIN-001", "denied");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_provider_must_not_say_is_not_taken() {
    let op = op(false).await;
    let server = server(&op, "").await;
    member(&server, "hanako", None, &[]).await;
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
    for lie in [
        json!({"nonce": "another"}),
        json!({"aud": "another"}),
        json!({"aud": [CLIENT, "another"]}),
        json!({"azp": "another"}),
        json!({"iss": "https://evil.example"}),
        json!({"exp": now - 61}),
        json!({"iat": now + 120}),
        json!({"sub": ""}),
    ] {
        op.lock().unwrap().lie = lie.clone();
        let answer = enter(&server, &op).await;
        assert_eq!((answer.status, answer.header("set-cookie")), (403, ""), "{lie}");
        answer.is_problem(403, "E-PROVIDER-004", "denied");
    }
    op.lock().unwrap().lie = json!({});
    let forged: [fn(&str) -> String; 3] = [
        // Not signed at all.
        |token| {
            let payload = token.split('.').nth(1).unwrap();
            format!("{}.{payload}.", code(br#"{"alg":"none"}"#))
        },
        // Somebody else's claims over a true signature.
        |token| {
            let mut parts: Vec<&str> = token.split('.').collect();
            let other = code(br#"{"sub":"3f9a"}"#);
            parts[1] = &other;
            parts.join(".")
        },
        |_| "no token".to_owned(),
    ];
    for forge in forged {
        op.lock().unwrap().forge = Some(forge);
        enter(&server, &op).await.is_problem(403, "E-PROVIDER-004", "denied");
    }
    op.lock().unwrap().forge = None;
    // Another key that calls itself by the name of the published one.
    let true_key = op.lock().unwrap().keys.insert("one".into(), key()).unwrap();
    enter(&server, &op).await.is_problem(403, "E-PROVIDER-004", "denied");
    op.lock().unwrap().keys.insert("one".into(), true_key);
    assert_eq!(enter(&server, &op).await.status, 200);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_answer_counts_once_in_its_browser_and_of_its_provider() {
    let op = op(false).await;
    let server = server(&op, "").await;
    member(&server, "hanako", None, &[]).await;
    let (ticket, back) = go(&server, &op).await;
    send(&server, "", "", &back).await.is_problem(409, "E-PROVIDER-003", "conflict");
    let (other, _) = go(&server, &op).await;
    send(&server, "", &other, &back).await.is_problem(401, "E-LOGIN-001", "denied");
    assert_eq!(send(&server, "", &ticket, &back).await.status, 200);
    // State and code again.
    send(&server, "", &ticket, &back).await.is_problem(409, "E-PROVIDER-003", "conflict");
    // The code again, in a log-in of its own: the provider does not take it.
    let (ticket, mut again) = go(&server, &op).await;
    again["code"] = back["code"].clone();
    send(&server, "", &ticket, &again).await.is_problem(403, "E-PROVIDER-004", "denied");
    // A code that another log-in asked for: the verifier does not fit.
    let ((ticket, mut mine), (_, theirs)) = (go(&server, &op).await, go(&server, &op).await);
    mine["code"] = theirs["code"].clone();
    send(&server, "", &ticket, &mine).await.is_problem(403, "E-PROVIDER-004", "denied");
    // Sent back by another provider, or by one that does not say which.
    for iss in [json!("https://evil.example"), Json::Null] {
        let (ticket, mut back) = go(&server, &op).await;
        back["iss"] = iss;
        send(&server, "", &ticket, &back).await.is_problem(403, "E-PROVIDER-004", "denied");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn new_keys_are_asked_for_and_not_at_every_stranger() {
    let op = op(false).await;
    let server = server(&op, "").await;
    member(&server, "hanako", None, &[]).await;
    assert_eq!(enter(&server, &op).await.status, 200);
    assert_eq!(enter(&server, &op).await.status, 200);
    assert_eq!(op.lock().unwrap().asked_for_keys, 1);
    // A token of an unknown key within a minute asks nobody.
    {
        let mut op = op.lock().unwrap();
        op.keys.insert("two".into(), key());
        (op.published, op.signs) = (vec!["two".into()], "two".into());
    }
    enter(&server, &op).await.is_problem(403, "E-PROVIDER-004", "denied");
    assert_eq!(op.lock().unwrap().asked_for_keys, 1);
    // Later the new key is found, and the old one counts no more.
    op.lock().unwrap().signs = "one".into();
    op.lock().unwrap().published = vec!["one".into()];
    let provider = Provider::new(settings(&op, "")).unwrap().asked_again_after(Duration::ZERO);
    let server = Server::with_provider(ORIGIN, provider).await;
    member(&server, "hanako", None, &[]).await;
    assert_eq!(enter(&server, &op).await.status, 200);
    {
        let mut op = op.lock().unwrap();
        (op.published, op.signs) = (vec!["two".into()], "two".into());
    }
    assert_eq!(enter(&server, &op).await.status, 200);
    op.lock().unwrap().signs = "one".into();
    enter(&server, &op).await.is_problem(403, "E-PROVIDER-004", "denied");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn local_accounts_go_on_when_the_provider_is_silent() {
    let op = op(false).await;
    op.lock().unwrap().down = true;
    let server = server(&op, "").await;
    member(&server, "hanako", None, &[]).await;
    for _ in 0..2 {
        send(&server, "/begin", "", &json!({})).await.is_problem(502, "E-PROVIDER-002", "storage");
    }
    assert_eq!(log_in(&server, "hanako", PASSWORD, &[]).await.status, 200);
    // Without one there is nothing to begin.
    let server = Server::for_passkeys(ORIGIN).await;
    assert_eq!(server.get("/api/v1/session").await.json()["provider"], Json::Null);
    send(&server, "/begin", "", &json!({})).await.is_problem(404, "E-PROVIDER-008", "not-found");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nobody_passes_by_a_second_factor_unless_the_provider_stands_for_it() {
    let op = op(false).await;
    for (more, status) in [("", 403), ("asks_second_factor = true", 200)] {
        let server = server(&op, more).await;
        let held = format!("toji-session={}", member(&server, "hanako", None, &[]).await);
        let headers = [JSON_BODY, ("cookie", held.as_str())];
        let body = json!({"password": PASSWORD}).to_string();
        let begun = server.send("POST", "/api/v1/session/passkeys/begin", &headers, body.as_bytes()).await;
        let credential = Soft::new(1, ORIGIN).create(&begun.json()["options"]);
        let body = json!({"name": "key", "credential": credential}).to_string();
        let added = server.send("POST", "/api/v1/session/passkeys", &headers, body.as_bytes()).await;
        assert_eq!(added.status, 200, "{}", added.text());
        let entered = enter(&server, &op).await;
        assert_eq!(entered.status, status, "{}", entered.text());
        if status == 403 {
            entered.is_problem(403, "E-PROVIDER-005", "denied");
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn over_tls_the_provider_is_who_its_certificate_says() {
    let op = op(true).await;
    let ca = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/it/tls/ca.pem");
    let server = server(&op, &format!("ca_file = {ca:?}")).await;
    member(&server, "hanako", None, &[]).await;
    let entered = enter(&server, &op).await;
    assert_eq!(entered.status, 200, "{}", entered.text());
    // With the certificates of the system it is nobody.
    let server = self::server(&op, "").await;
    send(&server, "/begin", "", &json!({})).await.is_problem(502, "E-PROVIDER-002", "storage");
    // Nor by another name than that of its certificate.
    let issuer = op.lock().unwrap().issuer.replace("localhost", "127.0.0.1");
    op.lock().unwrap().issuer = issuer;
    let server = self::server(&op, &format!("ca_file = {ca:?}")).await;
    send(&server, "/begin", "", &json!({})).await.is_problem(502, "E-PROVIDER-002", "storage");
    // A file without certificates is no configuration.
    let none = concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml");
    let refused = Provider::new(settings(&op, &format!("ca_file = {none:?}"))).unwrap_err();
    assert_eq!(refused.code(), "E-PROVIDER-001");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_routes_of_the_provider_take_json_of_this_site_alone() {
    let op = op(false).await;
    let server = server(&op, "").await;
    member(&server, "hanako", None, &[]).await;
    for path in ["/api/v1/session/provider", "/api/v1/session/provider/begin"] {
        let foreign = server.send("POST", path, &[JSON_BODY, ("origin", "https://elsewhere.example")], b"{}").await;
        foreign.is_problem(403, "E-HTTP-002", "denied");
        server.send("POST", path, &[("content-type", "text/plain")], b"{}").await.is_problem(415, "E-HTTP-003", "input");
        server.send("POST", path, &[JSON_BODY], b"[1]").await.is_problem(422, "E-LOGIN-012", "input");
        server.send("GET", path, &[], b"").await.is_problem(405, "E-HTTP-004", "input");
    }
}
