//! What does not add up in a chain, and what misses.

use super::{Amount, Phase, Ratio, Reached, Step, whole};
use toji_core::{Diagnostic, Place};

/// A pool may differ by this share between two steps when nobody states an uncertainty.
const POOL: f64 = 0.05;

/// Findings, in the order of the steps.
pub(super) fn findings(steps: &[(&Step, &Reached)], made: Option<&Amount>) -> Vec<Diagnostic> {
    let mut out = Vec::new();
    missing_phases(steps, &mut out);
    for (i, (step, reached)) in steps.iter().enumerate() {
        balance(step, reached, &mut out);
        let next = steps.get(i + 1).filter(|(n, _)| step.phase != Phase::Pretreatment || n.phase == Phase::Pretreatment);
        if let Some((next, _)) = next {
            pool(step, next, &mut out);
        }
        if let Some((next, _)) = steps.get(i + 1)
            && next.phase == step.phase
            && next.order == step.order
        {
            out.push(
                warning(
                    "W-CHAIN-006",
                    &next.id,
                    "order",
                    format!("{} と同じ順番 {} です", step.id, step.order),
                    format!("it has the same place {} as {}", step.order, step.id),
                )
                .remedy("工程の順に番号を付けてください", "number the steps in the order they are made"),
            );
        }
    }
    if let (Some(made), Some((first, _))) = (made, steps.iter().find(|(s, _)| s.phase != Phase::Pretreatment)) {
        against_culture(first, made, &mut out);
    }
    if let Some((last, _)) = steps.iter().rfind(|(s, _)| s.phase != Phase::Pretreatment)
        && last.purity.is_none()
    {
        out.push(
            note("N-CHAIN-013", &last.id, "purity", "最後の工程に純度がありません", "the last step states no purity")
                .remedy("製品の純度を purity に入れてください", "enter the purity of the product in purity"),
        );
    }
    out
}

fn place(id: &str, field: &str) -> Place {
    Place::field(format!("process-step/{id}/{field}"))
}
fn warning(code: &str, id: &str, field: &str, ja: String, en: String) -> Diagnostic {
    Diagnostic::warning(code, place(id, field), ja, en)
}
fn note(code: &str, id: &str, field: &str, ja: &str, en: &str) -> Diagnostic {
    Diagnostic::note(code, place(id, field), ja, en)
}

fn missing_phases(steps: &[(&Step, &Reached)], out: &mut Vec<Diagnostic>) {
    // Not every product is dried or filled: finishing is not asked for.
    for phase in [Phase::Pretreatment, Phase::Harvest, Phase::Purification] {
        if steps.iter().any(|(s, _)| s.phase == phase) {
            continue;
        }
        let label = phase.label();
        let said = Diagnostic::note(
            "N-CHAIN-010",
            Place::field(format!("process-step/{}", phase.code())),
            format!("{}の工程が記録されていません", label.ja),
            format!("no step of {} is recorded", label.en.to_lowercase()),
        );
        out.push(said.remedy(
            "行ったなら process-step に記録し、行わなかったなら培養の備考に書いてください",
            "if it was done, enter it as a process-step; if not, say so in the notes of the run",
        ));
    }
}

fn balance(step: &Step, reached: &Reached, out: &mut Vec<Diagnostic>) {
    let id = &step.id;
    let shown = |r: &Ratio| format!("{:.1} %", 100.0 * r.value);
    if let Some(yielded) = reached.yielded.filter(Ratio::above_one) {
        out.push(
            warning(
                "W-CHAIN-001",
                id,
                "product_out",
                format!("入った量より多くの目的物が出ています（{}）", shown(&yielded)),
                format!("more product came out than went in ({})", shown(&yielded)),
            )
            .remedy("分析値・量・単位を確認してください", "check the assays, the amounts and their units"),
        );
    }
    if let Some(recovered) = reached.recovered.filter(Ratio::above_one) {
        out.push(
            warning(
                "W-CHAIN-002",
                id,
                "output",
                format!("投入と添加の合計より多く出ています（{}）", shown(&recovered)),
                format!("more came out than went in and was added ({})", shown(&recovered)),
            )
            .remedy(
                "添加した緩衝液や水を added に入れるか、量を確認してください",
                "enter buffer or water in added, or check the amounts",
            ),
        );
    }
    let odd = [
        ("product_out", step.product_in.is_some() && step.product_out.is_some() && reached.yielded.is_none()),
        ("output", step.input.is_some() && step.output.is_some() && reached.recovered.is_none()),
        ("added", step.input.is_some() && step.added.is_some() && whole(step).is_none()),
    ];
    for (field, _) in odd.into_iter().filter(|(_, odd)| *odd) {
        out.push(
            warning(
                "W-CHAIN-003",
                id,
                field,
                "単位が合わないか正の量でないため、比べられません".into(),
                "units that do not convert, or an amount that is not positive: it cannot be compared".into(),
            )
            .remedy("入りと出を同じ種類の単位で入れてください", "enter what goes in and what comes out in units of one sort"),
        );
    }
    if !step.conditions {
        out.push(
            note("N-CHAIN-011", id, "conditions", "条件が記録されていません", "no conditions are recorded")
                .remedy("温度・pH・時間などを conditions に入れてください", "enter temperature, pH, time … in conditions"),
        );
    }
    if step.product_in.is_none() || step.product_out.is_none() {
        out.push(
            note(
                "N-CHAIN-012",
                id,
                "product_in",
                "目的物の入りと出がそろっていません",
                "product in and product out are not both there",
            )
            .remedy("product_in と product_out に量を入れてください", "enter the amounts in product_in and product_out"),
        );
    }
}

/// Does what one step gave go into the next?
fn pool(step: &Step, next: &Step, out: &mut Vec<Diagnostic>) {
    let (Some(gave), Some(took)) = (&step.product_out, &next.product_in) else { return };
    let Some(kept) = Ratio::over(took, gave) else { return };
    let same = match (kept.low, kept.high) {
        (Some(low), Some(high)) => low <= 1.0 && high >= 1.0,
        _ => (kept.value - 1.0).abs() <= POOL,
    };
    if !same {
        let shown = 100.0 * kept.value;
        out.push(
            warning(
                "W-CHAIN-004",
                &next.id,
                "product_in",
                format!("前の工程 {} から出た目的物の {shown:.1} % しか合いません", step.id),
                format!("it takes {shown:.1} % of the product that {} gave", step.id),
            )
            .remedy(
                "途中の損失・分割・保管を一つの工程として記録するか、量を確認してください",
                "record a loss, a division or a hold in between as a step of its own, or check the amounts",
            ),
        );
    }
}

/// Does the first step after the culture take more than the culture made?
fn against_culture(first: &Step, made: &Amount, out: &mut Vec<Diagnostic>) {
    let Some(taken) = first.product_in.as_ref().and_then(|p| Ratio::over(p, made)) else { return };
    if taken.above_one() {
        let shown = 100.0 * taken.value;
        out.push(
            warning(
                "W-CHAIN-005",
                &first.id,
                "product_in",
                format!("培養がつくった目的物の {shown:.1} % が入っています"),
                format!("{shown:.1} % of what the culture made goes in"),
            )
            .remedy("力価・液量・投入量を確認してください", "check the titre, the volume and the amount taken"),
        );
    }
}
