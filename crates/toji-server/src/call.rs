//! One operation over HTTP: the request as JSON input, the run with its limits, the answer.

use crate::face::{Face, now};
use crate::guard::is_json;
use crate::problem::Refusal;
use crate::query;
use crate::who::{Who, admit};
use axum::body::Body;
use axum::extract::{Extension, Path, Query, Request, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::{Value as Json, json};
use std::sync::Arc;
use toji_core::{Category, Error, Place, Result};
use toji_ops::{Attachment, Effect, Operation, Output, Progress};
use tokio::time::timeout;

type Pairs = Vec<(String, String)>;

/// `POST /api/v1/{noun}/{verb}` with JSON.
pub(crate) async fn post(
    State(face): State<Arc<Face>>,
    Path((noun, verb)): Path<(String, String)>,
    Query(pairs): Query<Pairs>,
    Extension(who): Extension<Who>,
    request: Request,
) -> std::result::Result<Response, Refusal> {
    let operation = find(&face, &noun, &verb)?;
    let (parts, body) = request.into_parts();
    admit(&who, operation, prefers_job(&parts.headers))?;
    let body = receive(&face, body, face.limits.body_bytes_max).await?;
    if !is_json(&parts.headers) && (operation.effect == Effect::Write || !body.is_empty()) {
        return Err(not_json());
    }
    let input = read_body(&body)?;
    answer(&face, &who, operation, input, &parts.headers, wants_download(&pairs)).await
}

/// `GET /api/v1/{noun}/{verb}?field=value`, for operations that only read.
pub(crate) async fn get(
    State(face): State<Arc<Face>>,
    Path((noun, verb)): Path<(String, String)>,
    Query(mut pairs): Query<Pairs>,
    Extension(who): Extension<Who>,
    headers: HeaderMap,
) -> std::result::Result<Response, Refusal> {
    let operation = find(&face, &noun, &verb)?;
    if operation.effect != Effect::Read {
        return Err(no_method(&format!("{noun}/{verb}")));
    }
    admit(&who, operation, prefers_job(&headers))?;
    let download = wants_download(&pairs);
    if !has_field(operation, "download") {
        pairs.retain(|(key, _)| key != "download");
    }
    let input = query::input_of(operation.input.as_value(), &pairs)?;
    answer(&face, &who, operation, input, &headers, download).await
}

fn has_field(operation: &Operation, name: &str) -> bool {
    operation.input.as_value().pointer("/properties").is_some_and(|properties| properties.get(name).is_some())
}

fn wants_download(pairs: &[(String, String)]) -> bool {
    pairs.iter().any(|(key, value)| key == "download" && value != "0" && value != "false")
}

/// The body is not declared as JSON, as that of a plain form is not.
pub(crate) fn not_json() -> Refusal {
    let error = Error::input(
        "E-HTTP-003",
        "本文は JSON (Content-Type: application/json) で送ってください",
        "send the body as JSON (Content-Type: application/json)",
    );
    Refusal::from(error).status(StatusCode::UNSUPPORTED_MEDIA_TYPE)
}

/// The method does not fit the path.
pub(crate) fn no_method(path: &str) -> Refusal {
    let error = Error::input(
        "E-HTTP-004",
        format!("この方法 (メソッド) では呼び出せません: {path}"),
        format!("this method does not fit here: {path}"),
    )
    .hint("書き込む操作は POST で呼び出してください", "operations that write are called by POST");
    Refusal::from(error).status(StatusCode::METHOD_NOT_ALLOWED)
}

fn find(face: &Face, noun: &str, verb: &str) -> Result<&'static Operation> {
    face.find(noun, verb).ok_or_else(|| {
        let same_noun: Vec<&str> =
            face.operations.iter().filter(|operation| operation.noun_verb().0 == noun).map(|operation| operation.name).collect();
        let error = Error::not_found(
            "E-HTTP-005",
            format!("「{noun} {verb}」という操作はありません"),
            format!("there is no operation `{noun} {verb}`"),
        );
        if same_noun.is_empty() {
            return error.hint("GET /api/v1/operations で一覧をご覧ください", "see GET /api/v1/operations for the list");
        }
        let known = same_noun.join(", ");
        error.hint(format!("操作: {known}"), format!("the operations are: {known}"))
    })
}

/// The body of a request, if it is no longer than this and comes in time.
pub(crate) async fn receive(face: &Face, body: Body, limit: usize) -> std::result::Result<axum::body::Bytes, Refusal> {
    let reading = axum::body::to_bytes(body, limit);
    let Ok(read) = timeout(face.limits.receive, reading).await else {
        let error =
            Error::new(Category::Limit, "E-HTTP-006", "本文の受信が時間切れになりました", "the body did not arrive in time");
        return Err(Refusal::from(error).status(StatusCode::REQUEST_TIMEOUT));
    };
    read.map_err(|_| {
        let error = Error::new(
            Category::Limit,
            "E-HTTP-007",
            format!("本文が大きすぎるか、途中で切れました (上限 {limit} バイト)"),
            format!("the body is too large or was cut off (at most {limit} bytes)"),
        )
        .hint("ファイルは /api/v1/upload で送ってください", "send files by /api/v1/upload");
        Refusal::from(error)
    })
}

/// No body stands for no fields.
fn read_body(body: &[u8]) -> Result<Json> {
    if body.iter().all(u8::is_ascii_whitespace) {
        return Ok(json!({}));
    }
    let input: Json = serde_json::from_slice(body).map_err(|e| {
        let place = Place { line: Some(e.line() as u64), column: Some(e.column() as u64), ..Place::default() };
        Error::input("E-HTTP-008", format!("本文が JSON として読めません: {e}"), format!("the body is not JSON: {e}")).at(place)
    })?;
    if input.is_object() {
        return Ok(input);
    }
    Err(Error::input("E-HTTP-009", "本文は JSON のオブジェクトで送ってください", "the body must be a JSON object"))
}

async fn answer(
    face: &Arc<Face>,
    who: &Who,
    operation: &'static Operation,
    input: Json,
    headers: &HeaderMap,
    download: bool,
) -> std::result::Result<Response, Refusal> {
    if prefers_job(headers) {
        let job = face.session.submit_for(&who.asker, operation.name, input, now()).await?;
        let place = format!("{}/jobs/{job}", crate::openapi::BASE);
        let told = [(header::LOCATION.as_str(), place.as_str()), ("preference-applied", "respond-async")];
        return Ok((StatusCode::ACCEPTED, told, axum::Json(json!({"job": job}))).into_response());
    }
    let output = run(face, who, operation, input).await?;
    match output.attachment {
        Some(file) if download || wants_file(headers) => Ok(send_file(file)),
        _ => Ok(([(header::CONTENT_TYPE, "application/json")], output.json).into_response()),
    }
}

fn prefers_job(headers: &HeaderMap) -> bool {
    headers
        .get_all("prefer")
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .any(|preference| preference.trim().eq_ignore_ascii_case("respond-async"))
}

/// Does `Accept` ask for something that is surely not JSON?
fn wants_file(headers: &HeaderMap) -> bool {
    let Some(accept) = headers.get(header::ACCEPT).and_then(|accept| accept.to_str().ok()) else { return false };
    let json = |range: &str| {
        let range = range.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
        matches!(range.as_str(), "" | "*/*" | "application/*" | "application/json") || range.ends_with("+json")
    };
    !accept.split(',').any(json)
}

fn send_file(file: Attachment) -> Response {
    let kind = HeaderValue::from_static(file.media_type);
    let mut response = ([(header::CONTENT_TYPE, kind)], file.bytes).into_response();
    if let Ok(disposition) = HeaderValue::from_str(&disposition(&file.name)) {
        response.headers_mut().insert(header::CONTENT_DISPOSITION, disposition);
    }
    response
}

/// RFC 6266: an ASCII name for old clients and the true one in UTF-8.
fn disposition(name: &str) -> String {
    let plain: String = name.chars().map(|c| if c.is_ascii_alphanumeric() || ".-_ ".contains(c) { c } else { '_' }).collect();
    let coded: String = name
        .bytes()
        .map(|b| if b.is_ascii_alphanumeric() || b".-_".contains(&b) { char::from(b).to_string() } else { format!("%{b:02X}") })
        .collect();
    format!("attachment; filename=\"{plain}\"; filename*=UTF-8''{coded}")
}

/// Asks the work to stop when the client has gone.
struct Leash(Progress);

impl Drop for Leash {
    fn drop(&mut self) {
        self.0.cancel();
    }
}

/// Runs an operation in its own task: a panic in it becomes a refusal, and a client that goes away
/// stops it at its next step instead of tearing it apart in the middle of a write.
async fn run(
    face: &Arc<Face>,
    who: &Who,
    operation: &'static Operation,
    input: Json,
) -> std::result::Result<Output<Vec<u8>>, Refusal> {
    let Ok(Ok(turn)) = timeout(face.limits.queue, Arc::clone(&face.turns).acquire_owned()).await else {
        let error = Error::new(Category::Limit, "E-HTTP-010", "サーバーが混み合っています", "the server is busy")
            .hint("少し待ってから再度お試しください", "try again in a moment");
        return Err(Refusal::from(error).status(StatusCode::SERVICE_UNAVAILABLE));
    };
    let progress = Progress::silent();
    let leash = Leash(progress.clone());
    let context = face.session.context_of(&who.asker, progress, now()).await?;
    let work = tokio::spawn(async move {
        let _turn = turn;
        operation.run_text(context, input).await
    });
    let ended = timeout(face.limits.work, work).await;
    drop(leash);
    match ended {
        Ok(Ok(result)) => Ok(result?),
        Ok(Err(fault)) => Err(Error::bug("E-HTTP-011", format!("{}: {fault}", operation.name)).into()),
        Err(_) => {
            let seconds = face.limits.work.as_secs();
            let error = Error::new(
                Category::Limit,
                "E-HTTP-012",
                format!("{seconds} 秒以内に終わらなかったため、中止を求めました"),
                format!("it did not end within {seconds} s and was asked to stop"),
            )
            .hint(
                "Prefer: respond-async を付けてジョブとして実行してください",
                "run it as a job with the header Prefer: respond-async",
            );
            Err(Refusal::from(error).status(StatusCode::GATEWAY_TIMEOUT))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_sent_only_to_those_who_want_no_json() {
        let check = |accept: Option<&'static str>, expected: bool| {
            let mut headers = HeaderMap::new();
            if let Some(accept) = accept {
                headers.insert(header::ACCEPT, HeaderValue::from_static(accept));
            }
            assert_eq!(wants_file(&headers), expected, "{accept:?}");
        };
        check(None, false);
        check(Some("*/*"), false);
        check(Some("application/json, text/csv"), false);
        check(Some("text/csv"), true);
        check(Some("text/csv;q=0.9, application/vnd.apache.parquet"), true);
        check(Some("text/csv, */*;q=0.1"), false);
    }

    #[test]
    fn names_of_files_survive_in_both_forms() {
        assert_eq!(disposition("a b.csv"), "attachment; filename=\"a b.csv\"; filename*=UTF-8''a%20b.csv");
        assert_eq!(disposition("麹\".csv"), "attachment; filename=\"__.csv\"; filename*=UTF-8''%E9%BA%B9%22.csv");
    }

    #[test]
    fn bodies_are_objects() {
        assert_eq!(read_body(b" \n").unwrap(), json!({}));
        assert_eq!(read_body(br#"{"a":1}"#).unwrap(), json!({"a": 1}));
        assert_eq!(read_body(b"[1]").unwrap_err().code(), "E-HTTP-009");
        let error = read_body(b"{\n  \"a\": }").unwrap_err();
        assert_eq!(error.fault().place.as_ref().and_then(|place| place.line), Some(2));
    }
}
