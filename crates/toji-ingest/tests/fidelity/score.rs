//! Writing the suite out for other programs, and the table of scores.

use crate::case::{Case, Outcome};
use crate::judge::{Verdict, judge};
use crate::observe::observe;
use std::fmt::Write as _;
use std::path::Path;

/// `DIR/ID/FILE` and `DIR/ID/case.json` for each case.
pub(crate) fn write_out(cases: &[Case], folder: &Path) {
    for case in cases {
        let home = folder.join(case.id);
        std::fs::create_dir_all(&home).unwrap();
        std::fs::write(home.join(case.file), &case.bytes).unwrap();
        std::fs::write(home.join("case.json"), serde_json::to_string_pretty(case).unwrap()).unwrap();
    }
}

/// Scores of Toji and of every `DIR/READER.json` (a map from case to outcome) as a Markdown table.
pub(crate) fn table(cases: &[Case], folder: &Path) -> String {
    let mut readers: Vec<(String, Vec<Verdict>)> = vec![("toji".into(), cases.iter().map(|c| judge(c, &observe(c))).collect())];
    let mut files: Vec<_> = std::fs::read_dir(folder).unwrap().map(|e| e.unwrap().path()).collect();
    files.sort();
    for file in files.iter().filter(|f| f.extension().is_some_and(|e| e == "json")) {
        let text = std::fs::read_to_string(file).unwrap();
        let outcomes: std::collections::BTreeMap<String, Outcome> = serde_json::from_str(&text).unwrap();
        let name = file.file_stem().unwrap().to_string_lossy().into_owned();
        let verdicts =
            cases.iter().map(|c| outcomes.get(c.id).map_or(Verdict::NotItsKind, |outcome| judge(c, outcome))).collect();
        readers.push((name, verdicts));
    }
    let mut out = String::from(
        "| reader | files of its kind | exact | marked | refused | with silent errors | silent errors |\n| --- | ---: | ---: | ---: | ---: | ---: | ---: |\n",
    );
    for (name, verdicts) in &readers {
        let count = |wanted: fn(&Verdict) -> bool| verdicts.iter().filter(|v| wanted(v)).count();
        let errors: usize = verdicts.iter().map(|v| if let Verdict::Silent(all) = v { all.len() } else { 0 }).sum();
        writeln!(
            out,
            "| {name} | {} | {} | {} | {} | {} | {errors} |",
            count(|v| *v != Verdict::NotItsKind),
            count(|v| *v == Verdict::Exact),
            count(|v| *v == Verdict::Marked),
            count(|v| *v == Verdict::Refused),
            count(|v| matches!(v, Verdict::Silent(_))),
        )
        .unwrap();
    }
    out.push_str("\n| case | ");
    out.push_str(&readers.iter().map(|(n, _)| n.as_str()).collect::<Vec<_>>().join(" | "));
    out.push_str(" |\n| --- |");
    out.push_str(&" --- |".repeat(readers.len()));
    out.push('\n');
    for (i, case) in cases.iter().enumerate() {
        write!(out, "| {}: {} |", case.id, case.what.replace('|', "/")).unwrap();
        for (_, verdicts) in &readers {
            let word = match &verdicts[i] {
                Verdict::Exact => "exact".to_owned(),
                Verdict::Marked => "marked".to_owned(),
                Verdict::Refused => "refused".to_owned(),
                Verdict::NotItsKind => "–".to_owned(),
                Verdict::Silent(all) => format!("**{} silent**", all.len()),
            };
            write!(out, " {word} |").unwrap();
        }
        out.push('\n');
    }
    out
}
