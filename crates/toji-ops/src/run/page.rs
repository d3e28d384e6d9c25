//! `run page`: one run as a page that opens in any browser without a server, and still does in ten years.
//!
//! Everything is inside the file: the record, the points, the words in both languages, the code that draws.
//! Its content security policy lets it load nothing and run nothing but its own script.

use crate::operation::{Answer, Attachment, Context, Effect, Operation, Words};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value as Json, json};
use toji_core::{Action, Digest, Error, Result};

/// Input of `run page`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Input {
    /// Run.
    ///
    /// 培養。
    id: String,
    /// Most points in the page; a run with more is thinned, and the page says so.
    ///
    /// ページに入れる最大の点数。超える培養は間引き、その旨をページに明記。
    #[serde(default = "points_max")]
    points_max: u64,
}

fn points_max() -> u64 {
    300_000
}

/// Output of `run page`.
#[derive(Debug, Serialize, JsonSchema)]
struct Page {
    /// Run.
    run: String,
    /// File name.
    name: String,
    /// Size.
    bytes: usize,
    /// SHA-256 of the page.
    sha256: String,
    /// Points in the page.
    points: u64,
    /// Points of the run.
    points_total: u64,
    /// Were points left out?
    thinned: bool,
}

pub(super) fn operation() -> Operation {
    Operation::declare_filed(
        Words {
            name: "run page",
            label: ["一つの培養のページ", "A run as a page"],
            about: [
                "一つの培養を、サーバーなしでブラウザーで開ける一つの HTML ファイルにします。系列・事象・官能観察・判断・試料を日英で収め、外部への要求は一切しません。",
                "Writes one run as one HTML file that opens in a browser without a server: series, events, observations, decisions and samples in both languages, without any request to elsewhere.",
            ],
            positional: &["id"],
            example: "toji run page run-0a1b2c3d4e5f --out run.html",
        },
        Effect::Read,
        page,
    )
    .long()
}

/// Columns of a thinned plot: more than a screen is wide.
const COLUMNS: usize = 2_000;

async fn page(context: Context, input: Input) -> Result<Answer<Page>> {
    let store = &context.session.store;
    let run = store.record(&context.access, "run", &input.id, None).await?;
    store.allow_records(&context.access, Action::Export, &[&run]).await?;
    let shown = crate::operation("run show")?.run(context.clone(), json!({ "id": input.id })).await?.json;
    let channels = shown["channels"].as_array().map_or(&[] as &[Json], Vec::as_slice);
    let total: u64 = channels.iter().filter_map(|c| c["points"].as_u64()).sum();
    let thinned = total > input.points_max;
    let question = json!({ "run": input.id, "raw": !thinned, "pixels": COLUMNS });
    let plot = crate::operation("run plot")?.run(context.clone(), question).await?.json;
    let points =
        plot["channels"].as_array().into_iter().flatten().filter_map(|c| c["t_s"].as_array()).map(|t| t.len() as u64).sum();
    let version = env!("CARGO_PKG_VERSION");
    let html = write(&json!({ "run": shown, "plot": plot, "thinned": thinned, "points": total, "toji": version }))?;
    let bytes = html.into_bytes();
    let name = format!("{}.html", run.id);
    let output = Page {
        run: run.id.to_string(),
        name: name.clone(),
        bytes: bytes.len(),
        sha256: Digest::of(&bytes).hex(),
        points,
        points_total: total,
        thinned,
    };
    Ok(Answer { output, attachment: Some(Attachment { name, media_type: "text/html; charset=utf-8", bytes }) })
}

const FRAME: &str = include_str!("page/page.html");
const STYLE: &str = include_str!("page/page.css");
const SCRIPT: &str = include_str!("page/page.js");

/// The whole page around its data.
fn write(data: &Json) -> Result<String> {
    // Inside a script element only `<` could end it early; JSON may write it as an escape.
    let data = serde_json::to_string(data).map_err(|e| Error::bug("E-RUN-030", e))?.replace('<', "\\u003c");
    let policy = format!(
        "default-src 'none'; style-src 'sha256-{}'; script-src 'sha256-{}'; base-uri 'none'; form-action 'none'",
        base64(Digest::of(STYLE.as_bytes()).bytes()),
        base64(Digest::of(SCRIPT.as_bytes()).bytes()),
    );
    let mut out = String::with_capacity(data.len() + FRAME.len() + STYLE.len() + SCRIPT.len() + policy.len());
    let parts = [("{policy}", policy.as_str()), ("{style}", STYLE), ("{data}", data.as_str()), ("{script}", SCRIPT)];
    let mut rest = FRAME;
    for (mark, words) in parts {
        let (before, after) = rest.split_once(mark).ok_or_else(|| Error::bug("E-RUN-031", mark))?;
        out.push_str(before);
        out.push_str(words);
        rest = after;
    }
    out.push_str(rest);
    Ok(out)
}

/// Base 64 as content security policies write hashes.
fn base64(bytes: &[u8]) -> String {
    const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let letter = |bits: u32| LETTERS.get((bits & 63) as usize).map_or('=', |b| char::from(*b));
    let mut out = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for chunk in bytes.chunks(3) {
        let at = |i: usize| u32::from(chunk.get(i).copied().unwrap_or_default());
        let bits = at(0) << 16 | at(1) << 8 | at(2);
        for i in 0..4 {
            out.push(if i <= chunk.len() { letter(bits >> (18 - 6 * i)) } else { '=' });
        }
    }
    out
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test stops at the first thing that is not as it should be")]
mod tests {
    use super::*;

    #[test]
    fn hashes_are_written_as_policies_read_them() {
        for (bytes, words) in [(&b""[..], ""), (b"f", "Zg=="), (b"fo", "Zm8="), (b"foo", "Zm9v"), (b"foobar", "Zm9vYmFy")] {
            assert_eq!(base64(bytes), words);
        }
    }

    #[test]
    fn words_of_a_run_cannot_end_the_script_they_stand_in() {
        let html = write(&json!({ "title": "</script><script>alert(1)</script>" })).unwrap();
        assert_eq!(html.matches("</script>").count(), 2, "the data's end and the script's");
        assert!(html.contains("\\u003c/script>"));
        assert!(!html.contains(" src=") && !html.contains(" href="), "nothing is asked for");
    }
}
