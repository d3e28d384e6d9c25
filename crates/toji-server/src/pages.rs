//! The pages of the UI, embedded from `ui/dist`.
//!
//! A path that is no file gets `index.html`, for the page itself reads the path. Files under
//! `assets/` carry a hash in their name and may be kept for ever.

use axum::extract::Request;
use axum::http::{HeaderMap, Method, StatusCode, header};
use axum::response::{Html, IntoResponse, Response};
use rust_embed::{EmbeddedFile, RustEmbed};

#[derive(RustEmbed)]
#[folder = "$CARGO_MANIFEST_DIR/../../ui/dist"]
struct Dist;

/// Serves a file of the UI, or the page itself.
pub(crate) async fn serve(request: Request) -> Response {
    if !matches!(*request.method(), Method::GET | Method::HEAD) {
        return crate::call::no_method(request.uri().path()).into_response();
    }
    let path = request.uri().path().trim_start_matches('/');
    if let Some(file) = Dist::get(path).filter(|_| !path.is_empty()) {
        return send_embedded(path, file, request.headers());
    }
    if path.starts_with("assets/") {
        return StatusCode::NOT_FOUND.into_response();
    }
    match Dist::get("index.html") {
        Some(file) => send_embedded("index.html", file, request.headers()),
        None => (StatusCode::SERVICE_UNAVAILABLE, Html(NOTICE)).into_response(),
    }
}

fn send_embedded(path: &str, file: EmbeddedFile, headers: &HeaderMap) -> Response {
    send(path, file.metadata.sha256_hash(), file.data.into_owned(), headers)
}

fn send(path: &str, hash: [u8; 32], bytes: Vec<u8>, headers: &HeaderMap) -> Response {
    let tag: String = std::iter::once("\"".to_owned())
        .chain(hash.iter().take(16).map(|byte| format!("{byte:02x}")))
        .chain(std::iter::once("\"".to_owned()))
        .collect();
    let keep = if path.starts_with("assets/") { "public, max-age=31536000, immutable" } else { "no-cache" };
    let told = [(header::CACHE_CONTROL, keep.to_owned()), (header::ETAG, tag.clone())];
    let known = headers.get(header::IF_NONE_MATCH).and_then(|tags| tags.to_str().ok()).unwrap_or_default();
    if known.split(',').any(|one| one.trim().trim_start_matches("W/") == tag) {
        return (StatusCode::NOT_MODIFIED, told).into_response();
    }
    (told, [(header::CONTENT_TYPE, media_type(path))], bytes).into_response()
}

fn media_type(path: &str) -> &'static str {
    match path.rsplit('.').next().unwrap_or_default() {
        "html" => "text/html; charset=utf-8",
        "js" | "mjs" => "text/javascript; charset=utf-8",
        "css" => "text/css; charset=utf-8",
        "json" | "map" => "application/json",
        "webmanifest" => "application/manifest+json",
        "svg" => "image/svg+xml",
        "png" => "image/png",
        "jpg" | "jpeg" => "image/jpeg",
        "webp" => "image/webp",
        "ico" => "image/x-icon",
        "woff2" => "font/woff2",
        "wasm" => "application/wasm",
        "txt" => "text/plain; charset=utf-8",
        _ => "application/octet-stream",
    }
}

const NOTICE: &str = r#"<!doctype html>
<html lang="ja">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1"><title>Toji</title>
<style>body{font-family:system-ui,sans-serif;max-width:40rem;margin:4rem auto;padding:0 1rem;line-height:1.7}
@media (prefers-color-scheme:dark){body{background:#111;color:#eee}}</style></head>
<body>
<h1>Toji</h1>
<p>画面がまだ組み込まれていません。<code>make ui</code> を実行してから <code>toji</code> を作り直してください。API は <a href="/api/v1/openapi.json">/api/v1/openapi.json</a> で利用できます。</p>
<p lang="en">The pages are not built in yet. Run <code>make ui</code>, then build <code>toji</code> again. The API is at <a href="/api/v1/openapi.json">/api/v1/openapi.json</a>.</p>
</body>
</html>
"#;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hashed_files_stay_and_the_page_is_asked_for_again() {
        let get = |path: &str, known: Option<&str>| {
            let mut headers = HeaderMap::new();
            if let Some(known) = known {
                headers.insert(header::IF_NONE_MATCH, known.parse().unwrap());
            }
            let response = send(path, [7; 32], b"x".to_vec(), &headers);
            let told = response.headers().get(header::CACHE_CONTROL).unwrap().to_str().unwrap().to_owned();
            (response.status().as_u16(), told, response.headers().get(header::ETAG).unwrap().to_str().unwrap().to_owned())
        };
        let tag = format!("\"{}\"", "07".repeat(16));
        assert_eq!(get("assets/index-B3f.js", None), (200, "public, max-age=31536000, immutable".into(), tag.clone()));
        assert_eq!(get("index.html", None), (200, "no-cache".into(), tag.clone()));
        assert_eq!(get("index.html", Some(&format!("\"old\", W/{tag}"))).0, 304);
        assert_eq!(get("index.html", Some("\"old\"")).0, 200);
    }

    #[test]
    fn media_types_follow_the_ending() {
        assert_eq!(media_type("assets/index-B3f.js"), "text/javascript; charset=utf-8");
        assert_eq!(media_type("toji.svg"), "image/svg+xml");
        assert_eq!(media_type("strange"), "application/octet-stream");
    }
}
