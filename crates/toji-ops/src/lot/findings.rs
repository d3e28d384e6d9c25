//! What stands against the release of a lot (errors), and what else its record lacks (warnings): code, place, remedy.

use super::gather::{Gathered, RunPart};
use super::materials::{MaterialRow, has_medium};
use super::results::SpecificationRow;
use super::rows::{DeviationRow, StepRow};
use super::show::Rows;
use serde_json::Value as Json;
use toji_core::limits::Verdict;
use toji_core::{Diagnostic, Place, Text};

/// All findings: errors first, each sort in the order of the record.
pub(super) fn findings(all: &Gathered, rows: &Rows, unreadable: Vec<Diagnostic>, today: &str) -> Vec<Diagnostic> {
    let mut out = of_references(all);
    out.extend(unreadable);
    out.extend(rows.deviations.iter().filter_map(of_deviation));
    out.extend(rows.specification.iter().filter_map(of_specification));
    out.extend(all.runs.iter().flat_map(|part| of_run(all, part)));
    if all.lot.fields.get("specification").and_then(Json::as_array).is_none_or(Vec::is_empty) {
        out.push(
            warning("W-LOT-031", "lot/specification", "規格がありません", "the lot has no specification")
                .remedy("specification に量と限界を書いてください", "state quantities and their limits in specification"),
        );
    }
    out.extend(rows.steps.iter().filter_map(of_step));
    out.extend(rows.materials.iter().filter_map(|m| of_material(m, today)));
    for source in rows.sources.iter().filter(|s| s.maker.is_none()) {
        let remedy = if source.category == "live" {
            ["製造者を記した槽の記録を、培養の vessel に入れてください", "let the run's vessel be a record that names the maker"]
        } else {
            [
                "装置の情報を含む形式で書き出すか、備考に製造者を残してください",
                "export with the instrument's facts, or note the maker",
            ]
        };
        let (run, name) = (&source.run, &source.source_name);
        out.push(
            warning(
                "W-LOT-034",
                &format!("run/{run}/vessel"),
                &format!("取込元「{name}」の製造者が分かりません"),
                &format!("the maker of the source \"{name}\" is not known"),
            )
            .remedy(remedy[0], remedy[1]),
        );
    }
    out.extend(rows.specification.iter().filter(|s| s.interval_beyond && s.verdict == Verdict::Within).map(of_interval));
    out.sort_by_key(|d| std::cmp::Reverse(d.severity));
    out
}

fn error(code: &str, place: &str, ja: &str, en: &str) -> Diagnostic {
    Diagnostic::error(code, Place::field(place), ja, en)
}

fn warning(code: &str, place: &str, ja: &str, en: &str) -> Diagnostic {
    Diagnostic::warning(code, Place::field(place), ja, en)
}

fn of_references(all: &Gathered) -> Vec<Diagnostic> {
    let mut out: Vec<Diagnostic> = Vec::new();
    if all.lot.retired {
        out.push(
            error("E-LOT-013", "lot", "ロットは使用停止です", "the lot is out of use")
                .remedy("`record restore` で戻してください", "bring it back with `record restore`"),
        );
    }
    if all.runs.is_empty() && !all.missing.iter().any(|(kind, _)| *kind == "run") {
        out.push(
            error("E-LOT-012", "lot/runs", "培養がありません", "the lot has no run")
                .remedy("runs に培養を挙げてください", "name its runs in runs"),
        );
    }
    out.extend(all.missing.iter().map(|(kind, id)| {
        error(
            "E-LOT-013",
            &format!("{kind}/{id}"),
            &format!("{kind} {id} はないか、見られません"),
            &format!("the {kind} {id} is not there, or may not be seen"),
        )
        .remedy("参照を直すか、見られる人に依頼してください", "correct the reference, or ask somebody who may see it")
    }));
    let retired = all.runs.iter().filter(|part| part.whole.run.retired);
    out.extend(retired.map(|part| {
        let id = part.id();
        error("E-LOT-013", &format!("run/{id}"), &format!("培養 {id} は使用停止です"), &format!("the run {id} is out of use"))
            .remedy(
                "runs から外すか、`record restore` で戻してください",
                "take it out of runs, or bring it back with `record restore`",
            )
    }));
    out
}

fn of_deviation(row: &DeviationRow) -> Option<Diagnostic> {
    let (id, what) = (&row.id, &row.what);
    row.is_open().then(|| {
        error(
            "E-LOT-014",
            &format!("deviation/{id}/state"),
            &format!("逸脱「{what}」が未完了です"),
            &format!("the deviation \"{what}\" is open"),
        )
        .remedy(
            "原因・処置・理由を入れて完了にしてください（使用停止にしても消えません）",
            "close it with cause, action and reason; taking it out of use does not",
        )
    })
}

/// A limit, for people.
fn limits(row: &SpecificationRow) -> String {
    let bound = |b: Option<f64>| b.map_or_else(String::new, |b| b.to_string());
    format!("{}..{} {}", bound(row.low), bound(row.high), row.unit)
}

fn of_specification(row: &SpecificationRow) -> Option<Diagnostic> {
    let Text { ja, en } = &row.label;
    let place = match &row.run {
        Some(run) => format!("run/{run}/{}", row.quantity),
        None => format!("specification/{}", row.index),
    };
    let (found, limits) = (row.found.join(", "), limits(row));
    let why = row.why.clone().unwrap_or_else(|| Text::new("", ""));
    match row.verdict {
        Verdict::Within => None,
        Verdict::Outside => Some(
            error(
                "E-LOT-015",
                &place,
                &format!("{ja}が規格 {limits} の外です（{found}）"),
                &format!("{en} is outside {limits} ({found})"),
            )
            .remedy("出荷できません。`lot reject` で不合格にしてください", "it is not released; reject it with `lot reject`"),
        ),
        Verdict::Undecided => Some(
            error(
                "E-LOT-016",
                &place,
                &format!("{ja}が規格 {limits} に合うか決まりません: {}", why.ja),
                &format!("it is not decided whether {en} keeps {limits}: {}", why.en),
            )
            .remedy(
                "限界をまたがない分析値を、単位とともに入れてください",
                "enter a result with its unit that does not straddle a limit",
            ),
        ),
        Verdict::NotMeasured => Some(
            error(
                "E-LOT-016",
                &place,
                &format!("{ja}（規格 {limits}）の結果がありません: {}", why.ja),
                &format!("there is no result of {en} ({limits}): {}", why.en),
            )
            .remedy(
                "測定し、分析値を入れるか、解析し直してください",
                "measure it and enter the result, or analyse the run again",
            ),
        ),
    }
}

fn of_interval(row: &SpecificationRow) -> Diagnostic {
    let place = format!("run/{}/{}", row.run.as_deref().unwrap_or_default(), row.quantity);
    Diagnostic::note(
        "N-LOT-036",
        Place::field(place),
        format!("{}の 95 % 区間は規格 {} を越えます（値で判定）", row.label.ja, limits(row)),
        format!("the 95 % interval of {} reaches beyond {}; the value was judged", row.label.en, limits(row)),
    )
    .remedy("区間も考えて判断してください", "consider the interval when deciding")
}

fn of_run(all: &Gathered, part: &RunPart) -> Vec<Diagnostic> {
    let (id, title) = (part.id(), part.title());
    let mut out = Vec::new();
    if part.ended_s.is_none() {
        out.push(
            error(
                "E-LOT-017",
                &format!("run/{id}/ended"),
                &format!("{title}: 培養の終了が記録されていません"),
                &format!("{title}: no end of the run is recorded"),
            )
            .remedy(
                format!("区分 stop の事象を入れてください: `toji record put event --fields '{{\"run\":\"{id}\",\"sort\":\"stop\",…}}'`"),
                format!("enter an event of sort stop: `toji record put event --fields '{{\"run\":\"{id}\",\"sort\":\"stop\",…}}'`"),
            ),
        );
    }
    let again =
        (format!("`toji culture analyse {id}` で解析してください"), format!("analyse it with `toji culture analyse {id}`"));
    let valid = part.analysis.as_ref().map(|a| a.fields.get("valid").and_then(Json::as_bool).unwrap_or(false));
    match valid {
        None => out.push(
            error(
                "E-LOT-018",
                &format!("run/{id}/analysis"),
                &format!("{title}: 標準解析がありません"),
                &format!("{title}: there is no standard analysis"),
            )
            .remedy(again.0.clone(), again.1.clone()),
        ),
        Some(false) => out.push(
            error(
                "E-LOT-019",
                &format!("run/{id}/analysis"),
                &format!("{title}: 標準解析が点検に合格していません"),
                &format!("{title}: its standard analysis is not valid"),
            )
            .remedy(
                format!("解析の所見を直し、`toji culture analyse {id}` で解析し直してください"),
                format!("mend what the analysis found, then `toji culture analyse {id}`"),
            ),
        ),
        Some(true) => {}
    }
    if valid.is_some() && !part.current {
        out.push(
            error(
                "E-LOT-020",
                &format!("run/{id}/analysis"),
                &format!("{title}: 解析の後に、培養の記録が変わっています"),
                &format!("{title}: the run has changed since it was analysed"),
            )
            .remedy(again.0, again.1),
        );
    }
    let lot_is_simulated = all.lot.fields.get("simulated").and_then(Json::as_bool).unwrap_or(false);
    if part.is_simulated() && !lot_is_simulated {
        out.push(
            error(
                "E-LOT-021",
                &format!("run/{id}/simulated"),
                &format!("{title}: 模擬の培養です。ロットは模擬とされていません"),
                &format!("{title}: the run is simulated, and the lot is not declared so"),
            )
            .remedy(
                "runs から外すか、ロットの simulated を true にしてください",
                "take it out of runs, or declare the lot simulated",
            ),
        );
    }
    if !has_medium(&part.whole.run.fields) {
        out.push(
            warning(
                "W-LOT-033",
                &format!("run/{id}/medium"),
                &format!("{title}: 培地が記録されていません"),
                &format!("{title}: no medium is recorded"),
            )
            .remedy("培養の medium に入れてください", "enter it on the run as medium"),
        );
    }
    out
}

fn of_step(step: &StepRow) -> Option<Diagnostic> {
    let (kind, id) = (&step.kind, &step.id);
    (step.time.is_none() && step.elapsed_s.is_none()).then(|| {
        warning(
            "W-LOT-032",
            &format!("{kind}/{id}/time"),
            &format!("操作 {id} に時刻がありません"),
            &format!("the step {id} has no time"),
        )
        .remedy("time か elapsed_s を入れてください", "enter its time or elapsed_s")
    })
}

fn of_material(row: &MaterialRow, today: &str) -> Option<Diagnostic> {
    let id = row.material_lot.as_ref()?;
    let state = row.state.as_deref().filter(|s| matches!(*s, "quarantine" | "rejected"));
    // Dates of ISO 8601 of one length sort as text; a month or a year lasts to its end.
    let expired = row.expires.as_deref().filter(|e| today.get(..e.len()).is_some_and(|now| *e < now));
    let (field, ja, en) = match (state, expired) {
        (Some(state), _) => ("state", format!("状態が {state} です"), format!("its state is {state}")),
        (None, Some(date)) => ("expires", format!("使用期限 {date} を過ぎています"), format!("it has expired on {date}")),
        (None, None) => return None,
    };
    Some(
        warning(
            "W-LOT-035",
            &format!("material-lot/{id}/{field}"),
            &format!("物質ロット {id}: {ja}"),
            &format!("material lot {id}: {en}"),
        )
        .remedy(
            "使えた理由を確かめ、なければ逸脱として記録してください",
            "see why it was used; if there is no reason, enter a deviation",
        ),
    )
}
