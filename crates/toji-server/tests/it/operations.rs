//! Operations of the tests: each shows one thing that the face must carry.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value as Json;
use std::sync::LazyLock;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use toji_core::{Category, Diagnostic, Error, Place, Result};
use toji_ops::{Answer, Attachment, Context, Effect, Operation, Words};

/// Set when `test dawdle` was told to stop.
pub(crate) static STOPPED: AtomicBool = AtomicBool::new(false);

#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
enum Order {
    /// Upwards.
    Up,
    /// Downwards.
    Down,
}

#[derive(Debug, Serialize, Deserialize, JsonSchema)]
struct Echo {
    text: Option<String>,
    limit: Option<u32>,
    level: Option<f64>,
    #[serde(default)]
    raw: bool,
    #[serde(default)]
    channels: Vec<String>,
    order: Option<Order>,
    filter: Option<Json>,
}

async fn echo(_: Context, input: Echo) -> Result<Echo> {
    Ok(input)
}

#[derive(Debug, Deserialize, JsonSchema)]
struct Fail {
    category: Category,
}

async fn fail(_: Context, input: Fail) -> Result<Echo> {
    let place = Place::line(7).in_file("culture.csv");
    let finding =
        Diagnostic::error("E-TEST-002", place.clone(), "列がありません", "a column is missing").remedy("足す", "add it");
    Err(Error::new(input.category, "E-TEST-001", "試験の失敗", "a failure of the test")
        .at(place)
        .hint("対処", "the remedy")
        .with(vec![finding]))
}

#[derive(Debug, Deserialize, Serialize, JsonSchema)]
struct Nothing {}

async fn explode(_: Context, _: Nothing) -> Result<Nothing> {
    panic!("the operation itself broke")
}

async fn dawdle(context: Context, _: Nothing) -> Result<Nothing> {
    for done in 0..600 {
        if let Err(cancelled) = context.progress.step(done, Some(600), "待機", "waiting") {
            STOPPED.store(true, Ordering::SeqCst);
            return Err(cancelled);
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    Ok(Nothing {})
}

#[derive(Debug, Serialize, JsonSchema)]
struct Rows {
    rows: u32,
}

async fn export(_: Context, _: Nothing) -> Result<Answer<Rows>> {
    let file = Attachment { name: "表 1.csv".into(), media_type: "text/csv; charset=utf-8", bytes: b"a,b\n1,2\n".to_vec() };
    Ok(Answer { output: Rows { rows: 1 }, attachment: Some(file) })
}

#[derive(Debug, Serialize, JsonSchema)]
struct Long {
    text: String,
}

async fn long(_: Context, _: Nothing) -> Result<Long> {
    Ok(Long { text: "発酵 ".repeat(5000) })
}

fn words(name: &'static str) -> Words {
    Words {
        name,
        label: ["試験", "Test"],
        about: ["試験の操作です。", "An operation of the tests."],
        positional: &[],
        example: "toji test",
    }
}

pub(crate) fn all() -> &'static [Operation] {
    static ALL: LazyLock<Vec<Operation>> = LazyLock::new(|| {
        vec![
            Operation::declare(words("test echo"), Effect::Read, echo),
            Operation::declare(words("test write"), Effect::Write, echo),
            Operation::declare(words("test fail"), Effect::Read, fail),
            Operation::declare(words("test explode"), Effect::Read, explode),
            Operation::declare(words("test dawdle"), Effect::Read, dawdle).long(),
            Operation::declare_filed(words("test export"), Effect::Read, export),
            Operation::declare(words("test long"), Effect::Read, long),
        ]
    });
    &ALL
}
