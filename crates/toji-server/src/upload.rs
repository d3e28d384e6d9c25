//! `POST /api/v1/upload`: files of a form are kept byte for byte and answered with their addresses.

use crate::face::{Face, now};
use crate::problem::Refusal;
use crate::who::Who;
use axum::Json;
use axum::extract::multipart::{Field, Multipart, MultipartError, MultipartRejection};
use axum::extract::{Extension, State};
use axum::http::StatusCode;
use axum::response::IntoResponse;
use serde_json::json;
use std::sync::Arc;
use toji_core::{Category, Error, Place};

/// Most files of one request.
const FILES_MAX: usize = 1000;

/// Keeps every part named `file`.
pub(crate) async fn upload(
    State(face): State<Arc<Face>>,
    Extension(who): Extension<Who>,
    form: Result<Multipart, MultipartRejection>,
) -> Result<impl IntoResponse, Refusal> {
    let mut form = form.map_err(|fault| not_a_form(&fault.body_text()))?;
    let access = face.session.access_for(&who.asker, now()).await?;
    let mut files = Vec::new();
    while let Some(field) = form.next_field().await.map_err(|fault| broken(&face, &fault))? {
        if field.name() != Some("file") {
            continue;
        }
        if files.len() >= FILES_MAX {
            let (ja, en) = (format!("一度に送れるのは {FILES_MAX} 件までです"), format!("at most {FILES_MAX} files at once"));
            return Err(Error::new(Category::Limit, "E-UPLOAD-003", ja, en).into());
        }
        let name = file_name(&field)?;
        let bytes = field.bytes().await.map_err(|fault| broken(&face, &fault))?;
        files.push(face.session.stage(&access, &name, bytes.to_vec()).await?);
    }
    if files.is_empty() {
        let error = Error::input("E-UPLOAD-002", "ファイルがありません", "there is no file")
            .at(Place::field("file"))
            .hint("multipart/form-data の項目 file に入れてください", "put it into the field `file` of multipart/form-data");
        return Err(error.into());
    }
    Ok(Json(json!({"files": files})))
}

/// The last part of the name a browser gives; some give a whole path.
fn file_name(field: &Field<'_>) -> Result<String, Error> {
    let name = field.file_name().and_then(|name| name.rsplit(['/', '\\']).next()).unwrap_or_default().trim().to_owned();
    if name.is_empty() || name == "." || name == ".." {
        return Err(Error::input("E-UPLOAD-004", "ファイル名がありません", "the file has no name").at(Place::field("file")));
    }
    Ok(name)
}

fn not_a_form(detail: &str) -> Refusal {
    let (ja, en) =
        (format!("multipart/form-data ではありません: {detail}"), format!("this is not multipart/form-data: {detail}"));
    Refusal::from(Error::input("E-UPLOAD-001", ja, en)).status(StatusCode::UNSUPPORTED_MEDIA_TYPE)
}

fn broken(face: &Face, fault: &MultipartError) -> Refusal {
    if fault.status() == StatusCode::PAYLOAD_TOO_LARGE {
        let limit = face.limits.upload_bytes_max >> 20;
        let error = Error::new(
            Category::Limit,
            "E-UPLOAD-005",
            format!("送信が大きすぎます (上限 {limit} MiB)"),
            format!("the upload is too large (at most {limit} MiB)"),
        )
        .hint("分けて送るか、toji run import で直接取り込んでください", "send it in parts, or import it with toji run import");
        return error.into();
    }
    let detail = fault.body_text();
    Error::input("E-UPLOAD-006", format!("送信が途中で壊れています: {detail}"), format!("the upload is broken: {detail}")).into()
}
