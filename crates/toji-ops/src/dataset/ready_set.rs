//! The rules of readiness about the set as a whole: files, terms, words, units, privacy.

use super::content::{Content, text};
use super::ready::{at_run, pair};
use super::score::{Account, Found, Rule};
use serde_json::Value as Json;
use std::collections::{BTreeMap, BTreeSet};
use toji_core::{Record, Text};

/// Adds the rules 16 and 20 to 23.
pub(super) fn judge(content: &Content, account: &mut Account) {
    files(content, account);
    words(content, account);
    units(content, account);
    privacy(content, account);
}

fn files(content: &Content, account: &mut Account) {
    let rule =
        Rule {
            number: 16, weight: 3_000, error: false, label: ["取込元がすべて読めている", "the sources were read whole"]
        };
    let all = content.of("file");
    let found = all.iter().filter_map(|file| {
        let n = file.fields.get("not_read").and_then(Json::as_array).map_or(0, Vec::len);
        let name = text(&file.fields, "name").unwrap_or_default();
        (n > 0).then(|| Found {
            percent: 100,
            run: None,
            at: ("file", file.id.to_string(), "not_read".into()),
            message: pair([format!("{name}: 読めなかった箇所が {n} あります"), format!("{name}: {n} places were not read")]),
            remedy: Text::new(
                "ファイルの記録の一覧を確かめ、対応づけを直してください",
                "see the list on the file's record and correct the mapping",
            ),
        })
    });
    let found = found.collect();
    account.add(&rule, all.len(), found);
}

fn of_manifest(field: &str, ja: &str, en: &str) -> Found {
    Found {
        percent: 100,
        run: None,
        at: ("manifest", String::new(), field.to_owned()),
        message: Text::new(ja, en),
        remedy: Text::new(format!("マニフェストの {field} に書いてください"), format!("state it in the manifest's {field}")),
    }
}

fn words(content: &Content, account: &mut Account) {
    let manifest = &content.manifest;
    let rule = Rule {
        number: 20, weight: 4_000, error: true, label: ["利用条件が示されている", "the terms of use are stated"]
    };
    let mut found = Vec::new();
    if content.licence.is_none() {
        found.push(of_manifest("licence", "利用条件がありません", "there is no licence"));
    }
    if content.duo().is_empty() {
        found.push(of_manifest("duo", "DUO の用語がありません", "there is no term of the Data Use Ontology"));
    }
    account.add(&rule, 2, found);
    let rule = Rule {
        number: 21,
        weight: 2_000,
        error: false,
        label: ["標題・説明・作成者がある", "title, description and creators are there"],
    };
    let mut found = Vec::new();
    if manifest.title.is_none() {
        found.push(of_manifest("title", "標題がありません", "there is no title"));
    }
    if manifest.description.is_none() {
        found.push(of_manifest("description", "説明がありません", "there is no description"));
    }
    if manifest.creators.is_empty() {
        found.push(of_manifest("creators", "作成者がありません", "there is no creator"));
    }
    account.add(&rule, 3, found);
}

fn units(content: &Content, account: &mut Account) {
    let rule =
        Rule {
            number: 22, weight: 2_000, error: false, label: ["同じ量の単位がそろっている", "one quantity has one unit"]
        };
    let mut by_variable: BTreeMap<&str, BTreeMap<&str, Vec<&Record>>> = BTreeMap::new();
    for channel in content.runs.iter().flat_map(|r| &r.channels) {
        if let Some((variable, unit)) = text(&channel.record.fields, "variable").zip(text(&channel.record.fields, "unit")) {
            by_variable.entry(variable).or_default().entry(unit).or_default().push(&channel.record);
        }
    }
    let mut found = Vec::new();
    for (variable, units) in by_variable.iter().filter(|(_, units)| units.len() > 1) {
        let usual =
            units.iter().max_by_key(|(unit, channels)| (channels.len(), std::cmp::Reverse(**unit))).map(|(unit, _)| *unit);
        let Some(usual) = usual else { continue };
        for (unit, channels) in units.iter().filter(|(unit, _)| **unit != usual) {
            found.extend(channels.iter().map(|channel| Found {
                percent: 100,
                run: text(&channel.fields, "run").map(str::to_owned),
                at: ("channel", channel.id.to_string(), "unit".into()),
                message: pair([
                    format!("{variable} が {unit} です (多くは {usual})。整列では別の列になります"),
                    format!("{variable} in {unit} (most are in {usual}): it is a column of its own in the aligned view"),
                ]),
                remedy: Text::new("意図したものか確かめてください", "see whether this is meant"),
            }));
        }
    }
    account.add(&rule, content.runs.iter().map(|r| r.channels.len()).sum(), found);
}

/// Names of source fields that say who a person is.
const OF_PERSONS: [&str; 8] = ["operator", "user", "username", "author", "担当者", "氏名", "作業者", "created by"];

fn privacy(content: &Content, account: &mut Account) {
    let rule =
        Rule { number: 23, weight: 1_000, error: false, label: ["個人名が入っていない", "no names of persons go out"] };
    let known: BTreeSet<&str> = OF_PERSONS.into_iter().collect();
    let found = content.runs.iter().filter_map(|run| {
        let more = run.record.fields.get("fields").and_then(Json::as_object)?;
        let named: Vec<&str> = more
            .iter()
            .filter(|(k, v)| known.contains(k.trim().to_lowercase().as_str()) && v.as_str().is_some_and(|t| !t.trim().is_empty()))
            .map(|(k, _)| k.as_str())
            .collect();
        (!named.is_empty()).then(|| {
            at_run(
                &run.record,
                "fields",
                100,
                [
                    format!("{}: 個人を示しうる項目 {} が渡ります", Content::title(&run.record), named.join(", ")),
                    format!("{}: {} may name a person and goes out", Content::title(&run.record), named.join(", ")),
                ],
                [
                    "培養の fields から消すか、仮名に替えてください".into(),
                    "take it out of the run's further facts, or use a pseudonym".into(),
                ],
            )
        })
    });
    let found = found.collect();
    account.add(&rule, content.runs.len(), found);
}
