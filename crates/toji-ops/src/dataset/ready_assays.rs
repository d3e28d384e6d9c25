//! The rules of readiness about samples and what was found in them.

use super::content::{Content, text};
use super::ready::pair;
use super::score::{Account, Found, Rule};
use serde_json::Value as Json;
use toji_core::{Record, Text};

/// Adds the rules 7 to 10.
pub(super) fn judge(content: &Content, account: &mut Account) {
    let assays = content.of("assay");
    let value = |r: &Record, name: &str| r.fields.get("value").and_then(|v| v.get(name)).cloned();
    let kind = |r: &Record| value(r, "kind").and_then(|k| k.as_str().map(str::to_owned)).unwrap_or_default();
    let has = |r: &Record, name: &str| value(r, name).is_some_and(|v| !v.is_null());
    let numeric = |r: &&Record| ["number", "low", "high"].iter().any(|n| has(r, n));
    let rule = Rule { number: 7, weight: 5_000, error: true, label: ["分析値に単位がある", "results have units"] };
    let found = assays.iter().filter(numeric).filter(|r| !has(r, "unit")).map(|r| {
        at(
            r,
            "value/unit",
            100,
            "単位がありません",
            "no unit",
            "単位を対応づけに書いて取り込み直してください",
            "state the unit in the mapping and import again",
        )
    });
    let found = found.collect();
    account.add(&rule, assays.iter().filter(numeric).count(), found);

    let rule = Rule {
        number: 8,
        weight: 6_000,
        error: true,
        label: ["打切り値の限界が分かっている", "limits of censored results are stated"],
    };
    let censored =
        |r: &&Record| matches!(kind(r).as_str(), "less-than" | "greater-than" | "range" | "below-detection" | "not-determined");
    let found = assays.iter().filter(censored).filter_map(|r| {
        let limited = has(r, "low") || has(r, "high");
        let words = value(r, "text").and_then(|t| t.as_str().map(str::to_owned)).unwrap_or_default();
        match kind(r).as_str() {
            "not-determined" => Some(at(
                r,
                "value",
                0,
                &format!("「{words}」は値なしとして渡ります"),
                &format!("\"{words}\" goes out without a number"),
                "再測定の値があれば取り込んでください",
                "import a repeated measurement if there is one",
            )),
            _ if limited => None,
            _ => Some(at(
                r,
                "value/high",
                100,
                &format!("「{words}」の限界値が分かりません"),
                &format!("the limit behind \"{words}\" is not stated"),
                "検出限界・定量範囲を書いて取り込み直してください",
                "state the detection limit or range and import again",
            )),
        }
    });
    let found = found.collect();
    account.add(&rule, assays.iter().filter(censored).count(), found);

    let rule = Rule {
        number: 9,
        weight: 5_000,
        error: true,
        label: ["試料の時刻が培養の上に置ける", "samples have a time on their run"],
    };
    let samples = content.of("sample");
    let found = samples
        .iter()
        .filter(|r| text(&r.fields, "time").is_none() && r.fields.get("elapsed_s").and_then(Json::as_f64).is_none())
        .map(|r| {
            at(
                r,
                "time",
                100,
                "採取時刻がありません",
                "no time of sampling",
                "採取時刻を入れてください",
                "enter when it was taken",
            )
        });
    let found = found.collect();
    account.add(&rule, samples.len(), found);

    let rule =
        Rule {
            number: 10, weight: 3_000, error: false, label: ["分析方法が記録されている", "methods of results are recorded"]
        };
    let found = assays
        .iter()
        .filter(|r| text(&r.fields, "method").is_none())
        .map(|r| at(r, "method", 100, "分析方法がありません", "no method", "分析方法を入れてください", "enter the method"));
    let found = found.collect();
    account.add(&rule, assays.len(), found);
}

fn at(record: &Record, field: &str, percent: u64, ja: &str, en: &str, do_ja: &str, do_en: &str) -> Found {
    let kind = if record.kind == "sample" { "sample" } else { "assay" };
    let name = text(&record.fields, if kind == "sample" { "key" } else { "analyte" }).unwrap_or_default();
    Found {
        percent,
        run: text(&record.fields, "run").map(str::to_owned),
        at: (kind, record.id.to_string(), field.to_owned()),
        message: pair([format!("{name}: {ja}"), format!("{name}: {en}")]),
        remedy: Text::new(do_ja, do_en),
    }
}
