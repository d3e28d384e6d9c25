//! Protocols on instruments: their steps are checked and shown, and run on an instrument while it is recorded.

mod check;
mod run;

use crate::operation::{Context, Operation};
use serde_json::Value as Json;
use std::path::{Path, PathBuf};
use toji_core::{Category, Error, Place, Record, Result};
use toji_live::Config;
use toji_live::protocol::{Plan, steps};

pub(crate) fn operations() -> Vec<Operation> {
    vec![check::operation(), run::operation()]
}

/// The plan of a protocol record.
async fn plan_of(context: &Context, id: &str) -> Result<(Record, Plan)> {
    let record = context.session.store.record(&context.access, "protocol", id, None).await?;
    let plan = steps::read(record.fields.get("steps").unwrap_or(&Json::Null))?;
    Ok((record, plan))
}

/// A configuration of sources, from a file of this machine.
async fn configuration(context: &Context, file: &str) -> Result<(PathBuf, Config)> {
    if !context.local_files {
        // A configuration names files with passwords, and what may be driven.
        return Err(Error::new(
            Category::Denied,
            "E-PROTOCOL-014",
            "装置への接続設定は、この計算機のコマンドラインからだけ使えます",
            "configurations of instruments are used from the command line of this machine only",
        )
        .at(Place::field("config"))
        .hint("toji protocol run 手順 設定ファイル …", "toji protocol run PROTOCOL CONFIG …"));
    }
    let path = PathBuf::from(file);
    let text = tokio::fs::read_to_string(&path).await.map_err(|why| {
        Error::input("E-LINK-012", format!("設定ファイルを読めません: {why}"), format!("the configuration cannot be read: {why}"))
            .at(Place::default().in_file(path.display().to_string()))
            .hint("ファイルの場所と権限を確認してください", "check where the file is and its permissions")
    })?;
    let name = path.file_name().unwrap_or(Path::new(file).as_os_str()).to_string_lossy().into_owned();
    let config = Config::read(&text).map_err(|e| e.in_file(&name))?;
    Ok((path, config))
}
