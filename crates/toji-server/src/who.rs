//! Who a request comes from, and what that alone decides: without a log-in only what is meant for everybody.
//!
//! While a store has no users, everybody who reaches the server is its owner, as on the command line. From the first
//! user on, a request is a user's with a session, or a guest's; every path that is not named here is closed to guests.

use crate::face::{Face, now};
use crate::openapi::BASE;
use crate::problem::Refusal;
use axum::extract::{ConnectInfo, Request, State};
use axum::http::{HeaderMap, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use std::net::{IpAddr, Ipv6Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;
use toji_core::{Category, Error, Result};
use toji_ops::{Asker, Caller, Client, Effect, Operation};

/// The cookie on plain http, which only this machine or a trusted network speaks.
const PLAIN: &str = "toji-session";
/// The cookie behind TLS: the prefix makes browsers refuse it unless it is bound to this host, path `/` and TLS.
const SECURE: &str = "__Host-toji-session";
/// What for somebody asks, by the code of a purpose.
const PURPOSE: &str = "toji-purpose";
/// How often an open stream looks whether its session still counts.
const LOOK: Duration = Duration::from_secs(15);

/// What somebody without a second factor reaches where everybody needs one.
const SETS_UP: [&str; 6] = [
    "/session",
    "/session/second-factor",
    "/session/passkey",
    "/session/passkey/begin",
    "/session/passkeys",
    "/session/passkeys/begin",
];

/// Who a request comes from.
#[derive(Debug, Clone)]
pub(crate) struct Who {
    /// As who they ask operations.
    pub(crate) asker: Asker,
    /// Their session, when there is one.
    pub(crate) caller: Option<Caller>,
    /// Where they are.
    pub(crate) client: Client,
    /// The token they came with, whether it counts or not.
    pub(crate) token: Option<String>,
}

/// Finds out who asks, and stops guests before all but what is open to them.
pub(crate) async fn identify(State(face): State<Arc<Face>>, mut request: Request, next: Next) -> Response {
    if !request.uri().path().starts_with("/api") {
        return next.run(request).await;
    }
    let said = Said::of(&face, &request);
    let who = match of(&face, said).await {
        Ok(who) => who,
        Err(refusal) => return refusal.into_response(),
    };
    if who.asker == Asker::Guest && !is_open(request.method(), request.uri().path()) {
        return log_in().into_response();
    }
    let own = matches!(request.uri().path().strip_prefix(BASE), Some(path) if SETS_UP.contains(&path));
    if face.front.second_factor && !own && who.caller.as_ref().is_some_and(|caller| !caller.second_factor) {
        let error = Error::new(
            Category::Denied,
            "E-LOGIN-013",
            "このサーバーでは二要素認証が必要です",
            "this server asks for a second factor",
        )
        .hint("「利用者の設定」で登録してください", "set it up on the page of your account");
        return Refusal::from(error).into_response();
    }
    request.extensions_mut().insert(who);
    next.run(request).await
}

/// What a request says of who sends it.
struct Said {
    client: Client,
    bearer: Option<String>,
    cookie: Option<String>,
    purpose: Option<String>,
}

impl Said {
    fn of(face: &Face, request: &Request) -> Self {
        let headers = request.headers();
        Self {
            client: client_of(request, face.front.behind_tls),
            bearer: bearer_of(headers),
            cookie: cookie_of(headers, cookie_name(face)),
            purpose: headers.get(PURPOSE).and_then(|purpose| purpose.to_str().ok()).map(str::to_owned),
        }
    }
}

async fn of(face: &Face, said: Said) -> std::result::Result<Who, Refusal> {
    let Said { client, bearer, cookie, purpose } = said;
    let by_bearer = bearer.is_some();
    let token = bearer.or(cookie);
    if !face.session.has_users().await? {
        return Ok(Who { asker: Asker::Owner, caller: None, client, token });
    }
    let caller = match &token {
        Some(token) => face.session.caller(token, now()).await?,
        None => None,
    };
    if by_bearer && caller.is_none() {
        // A script must not go on as a guest when its session has ended.
        let error = Error::new(Category::Denied, "E-LOGIN-011", "セッションは終わっています", "the session has ended")
            .hint("もう一度ログインしてください", "log in again");
        return Err(Refusal::from(error).status(StatusCode::UNAUTHORIZED));
    }
    let asker = caller.as_ref().map_or(Asker::Guest, |caller| caller.asker(purpose));
    Ok(Who { asker, caller, client, token })
}

/// Is a path open to guests? Operations are judged once they are found ([`admit`]).
fn is_open(method: &Method, path: &str) -> bool {
    let Some(rest) = path.strip_prefix(BASE).map(|rest| rest.trim_start_matches('/')) else { return false };
    let reads = matches!(*method, Method::GET | Method::HEAD);
    match rest.split('/').collect::<Vec<_>>().as_slice() {
        ["session"] | ["session", "enrol" | "node" | "passkey" | "provider"] | ["session", "passkey" | "provider", "begin"] => {
            true
        }
        // What Toji can do is public; it tells nothing of this store.
        ["openapi.json" | "operations"] => reads,
        ["jobs" | "upload" | "session", ..] | ["live", "stream"] => false,
        [_noun, _verb] => true,
        _ => false,
    }
}

/// Guests call what reads and is soon done, and nothing else.
pub(crate) fn admit(who: &Who, operation: &Operation, as_job: bool) -> std::result::Result<(), Refusal> {
    let open = operation.effect == Effect::Read && !operation.long && !as_job;
    if who.asker == Asker::Guest && !open { Err(log_in()) } else { Ok(()) }
}

/// The refusal of whoever has to log in first.
pub(crate) fn log_in() -> Refusal {
    let error = Error::new(Category::Denied, "E-LOGIN-010", "ログインが必要です", "this needs somebody who is logged in").hint(
        "画面からログインするか、セッションのトークンを Authorization: Bearer で送ってください",
        "log in on the page, or send the token of a session as Authorization: Bearer",
    );
    Refusal::from(error).status(StatusCode::UNAUTHORIZED)
}

/// Resolves when the session of an open stream counts no more; never for the owner.
pub(crate) async fn logged_out(face: Arc<Face>, who: Who) {
    let Some(caller) = who.caller else { return std::future::pending().await };
    loop {
        tokio::time::sleep(LOOK).await;
        if !matches!(face.session.still_counts(&caller, now()).await, Ok(true)) {
            return;
        }
    }
}

pub(crate) fn cookie_name(face: &Face) -> &'static str {
    if face.front.behind_tls { SECURE } else { PLAIN }
}

fn bearer_of(headers: &HeaderMap) -> Option<String> {
    let value = headers.get(header::AUTHORIZATION)?.to_str().ok()?;
    let (scheme, token) = value.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim().to_owned())
}

pub(crate) fn cookie_of(headers: &HeaderMap, name: &str) -> Option<String> {
    let cookies = headers.get_all(header::COOKIE).iter().filter_map(|cookies| cookies.to_str().ok());
    let mut pairs = cookies.flat_map(|cookies| cookies.split(';')).filter_map(|pair| pair.trim().split_once('='));
    pairs.find(|(key, _)| *key == name).map(|(_, value)| value.to_owned())
}

/// The address as delays count it: an IPv6 network of 64 bits is one place. Behind TLS the proxy on this machine
/// tells whom it speaks for, in the last entry of `X-Forwarded-For`; what stands before it the client can invent.
fn client_of(request: &Request, behind_tls: bool) -> Client {
    let headers = request.headers();
    let peer = request.extensions().get::<ConnectInfo<SocketAddr>>().map(|peer| peer.0.ip());
    let told = headers.get_all("x-forwarded-for").iter().next_back().and_then(|value| value.to_str().ok());
    let told = told.and_then(|list| list.rsplit(',').next()).and_then(|last| last.trim().parse::<IpAddr>().ok());
    let address = if behind_tls { told.or(peer) } else { peer };
    let agent = headers.get(header::USER_AGENT).and_then(|agent| agent.to_str().ok()).unwrap_or_default();
    Client { address: address.map(place).unwrap_or_default(), agent: agent.to_owned() }
}

fn place(address: IpAddr) -> String {
    match address.to_canonical() {
        IpAddr::V4(address) => address.to_string(),
        IpAddr::V6(address) => {
            let [a, b, c, d, ..] = address.segments();
            format!("{}/64", Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0))
        }
    }
}

/// May the server be bound like this? A store without users is open to whoever reaches it.
///
/// # Errors
/// `E-SERVE-003`.
pub(crate) fn guarded(has_users: bool, reached_from_outside: bool, without_login: bool) -> Result<()> {
    if has_users || !reached_from_outside || without_login {
        return Ok(());
    }
    Err(Error::new(
        Category::Denied,
        "E-SERVE-003",
        "利用者のいない保存先を、ほかの機械に開こうとしています。つながる人は誰でも読み書きできます",
        "a store without users would be opened to other machines: whoever reaches it could read and write everything",
    )
    .hint(
        "toji user invite で利用者を招待してください。承知の上で開くなら --without-login を付けてください",
        "invite a user with `toji user invite`; if it is meant, give --without-login",
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn guests_reach_only_what_is_named() {
        let check = |method: Method, path: &str, expected: bool| {
            assert_eq!(is_open(&method, &format!("{BASE}{path}")), expected, "{method} {path}");
        };
        check(Method::GET, "/session", true);
        check(Method::POST, "/session", true);
        check(Method::POST, "/session/enrol", true);
        check(Method::POST, "/session/node", true);
        check(Method::POST, "/session/password", false);
        check(Method::POST, "/session/second-factor", false);
        check(Method::POST, "/session/provider", true);
        check(Method::POST, "/session/provider/begin", true);
        check(Method::POST, "/session/provider/other", false);
        check(Method::POST, "/session/passkey", true);
        check(Method::POST, "/session/passkey/begin", true);
        check(Method::POST, "/session/passkey/other", false);
        check(Method::GET, "/session/passkeys", false);
        check(Method::POST, "/session/passkeys", false);
        check(Method::POST, "/session/passkeys/begin", false);
        check(Method::POST, "/session/passkeys/rename", false);
        check(Method::POST, "/session/passkeys/remove", false);
        check(Method::GET, "/openapi.json", true);
        check(Method::POST, "/openapi.json", false);
        check(Method::GET, "/operations", true);
        check(Method::GET, "/run/list", true);
        check(Method::POST, "/upload", false);
        check(Method::GET, "/jobs/job-1", false);
        check(Method::DELETE, "/jobs/job-1", false);
        check(Method::GET, "/jobs/job-1/events", false);
        check(Method::GET, "/live/stream", false);
        check(Method::GET, "/live/sources", true);
        check(Method::GET, "/something/else/again", false);
        check(Method::GET, "", false);
        assert!(!is_open(&Method::GET, "/api"));
    }

    #[test]
    fn a_store_without_users_is_not_opened_by_accident() {
        assert!(guarded(false, false, false).is_ok() && guarded(true, true, false).is_ok());
        assert_eq!(guarded(false, true, false).unwrap_err().code(), "E-SERVE-003");
        assert!(guarded(false, true, true).is_ok());
    }

    #[test]
    fn an_address_is_the_peers_or_what_the_proxy_says_last() {
        let check = |peer: &str, told: Option<&str>, behind: bool, expected: &str| {
            let mut request = axum::http::Request::builder();
            if let Some(told) = told {
                request = request.header("x-forwarded-for", told);
            }
            let mut request = request.body(axum::body::Body::empty()).unwrap();
            request.extensions_mut().insert(ConnectInfo(peer.parse::<SocketAddr>().unwrap()));
            assert_eq!(client_of(&request, behind).address, expected, "{peer} {told:?}");
        };
        check("192.0.2.7:5000", None, false, "192.0.2.7");
        check("192.0.2.7:5000", Some("203.0.113.9"), false, "192.0.2.7");
        check("127.0.0.1:5000", Some("10.9.9.9, 203.0.113.9"), true, "203.0.113.9");
        check("127.0.0.1:5000", Some("nonsense"), true, "127.0.0.1");
        check("[2001:db8:1:2:3:4:5:6]:5000", None, false, "2001:db8:1:2::/64");
        check("[::ffff:192.0.2.7]:5000", None, false, "192.0.2.7");
    }

    #[test]
    fn tokens_come_as_cookie_or_bearer() {
        let headers = |pairs: &[(&'static str, &str)]| -> HeaderMap {
            pairs.iter().map(|(name, value)| (axum::http::HeaderName::from_static(name), value.parse().unwrap())).collect()
        };
        let cookies = headers(&[("cookie", "other=1; toji-session=abc; x=y")]);
        assert_eq!(cookie_of(&cookies, PLAIN).as_deref(), Some("abc"));
        assert_eq!(cookie_of(&cookies, SECURE), None);
        assert_eq!(bearer_of(&headers(&[("authorization", "bearer abc")])).as_deref(), Some("abc"));
        assert_eq!(bearer_of(&headers(&[("authorization", "Basic abc")])), None);
    }
}
