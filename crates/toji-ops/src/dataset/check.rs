//! `dataset check`: how ready a data set is, with every lost point's code, place and remedy.

use super::content::{self, Content};
use super::manifest::Manifest;
use super::ready;
use super::score::{Account, Finding, RuleLine};
use super::split::{self, Dealt, Part};
use crate::operation::{Context, Effect, Operation, Words};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use toji_core::Result;

/// Most findings in one answer; the points of the others are summed.
const FINDINGS_MAX: usize = 5_000;

/// Input of `dataset check`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Input {
    /// Runs by identifier; they stand for the manifest's own. All runs when neither names any.
    ///
    /// 培養の識別子。マニフェストの培養より優先。どちらにも指定がなければすべての培養。
    #[serde(default)]
    runs: Vec<String>,
    /// Manifest of the data set.
    ///
    /// データセットのマニフェスト。
    #[serde(default)]
    manifest: Manifest,
}

/// Runs in each part of the split.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, JsonSchema)]
pub(super) struct Parts {
    /// For learning.
    pub(super) train: usize,
    /// For choosing.
    pub(super) validation: usize,
    /// For judging.
    pub(super) test: usize,
}

/// How ready a data set is.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct Readiness {
    /// Score, 0 to 100.
    score: f64,
    /// The same in thousandths of a point: 100000 less everything the findings lost.
    score_thousandths: u64,
    /// Runs.
    runs: usize,
    /// Points.
    points: usize,
    /// Position in the ledger the data were read at.
    as_of: Option<i64>,
    /// Runs in each part of the split.
    split: Parts,
    /// What was asked, and what each question cost.
    rules: Vec<RuleLine>,
    /// What was found, by rule and place.
    findings: Vec<Finding>,
    /// Findings beyond the largest answer.
    findings_left_out: usize,
    /// Points they lost, in thousandths.
    lost_left_out_thousandths: u64,
}

pub(super) fn operation() -> Operation {
    Operation::declare(
        Words {
            name: "dataset check",
            label: ["データセットの点検", "Check a data set"],
            about: [
                "学習に使えるデータセットかを点検します。100 点から失った点のすべてに、コード・場所・対処が付きます。",
                "Checks how ready a data set is for learning. Every point lost from 100 has a code, a place and a remedy.",
            ],
            positional: &["runs…"],
            example: "toji dataset check --manifest @brewing.json",
        },
        Effect::Read,
        check,
    )
    .long()
}

async fn check(context: Context, input: Input) -> Result<Readiness> {
    let mut manifest = input.manifest;
    if !input.runs.is_empty() {
        manifest.runs = input.runs;
    }
    manifest.must_be_sound()?;
    let content = content::load(&context, &manifest, false).await?;
    let dealt = split::deal(&content);
    let account = ready::judge(&content, &dealt);
    Ok(readiness(&content, &dealt, account))
}

/// The account as it is handed out.
pub(super) fn readiness(content: &Content, dealt: &[Dealt], account: Account) -> Readiness {
    let mut findings = account.findings;
    let left = findings.split_off(findings.len().min(FINDINGS_MAX));
    Readiness {
        score: account.score,
        score_thousandths: account.score_thousandths,
        runs: content.runs.len(),
        points: content.points(),
        as_of: content.manifest.as_of,
        split: parts(dealt),
        rules: account.rules,
        findings,
        findings_left_out: left.len(),
        lost_left_out_thousandths: left.iter().map(|f| f.lost_thousandths).sum(),
    }
}

pub(super) fn parts(dealt: &[Dealt]) -> Parts {
    let n = |part: Part| dealt.iter().filter(|d| d.part == part).count();
    Parts { train: n(Part::Train), validation: n(Part::Validation), test: n(Part::Test) }
}
