//! The words by which headers name a role: time, run, sample, note, and the parts of long tables.

use super::mapping::Role;
use toji_core::value::fold_width;

/// How a header names something.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Fit {
    /// The word stands in the header among others.
    Part,
    /// The header is the word.
    Whole,
}

/// Lower case, one space between words, punctuation gone, width folded.
pub(super) fn plain(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let (mut last_lower, mut letters) = (false, 0);
    for c in fold_width(text).chars() {
        if c.is_alphanumeric() || c == '#' {
            // "VesselTemp" is two words; "pH" is one.
            if last_lower && c.is_ascii_uppercase() && letters > 2 {
                out.push(' ');
                letters = 0;
            }
            letters += 1;
            out.extend(c.to_lowercase());
        } else if !out.ends_with(' ') && !out.is_empty() {
            out.push(' ');
            letters = 0;
        }
        last_lower = c.is_ascii_lowercase();
    }
    out.truncate(out.trim_end().len());
    out
}

const TIME: [&str; 37] = [
    "time",
    "timestamp",
    "datetime",
    "date time",
    "date",
    "t",
    "clock",
    "elapsed",
    "elapsed time",
    "process time",
    "run time",
    "culture time",
    "cultivation time",
    "fermentation time",
    "batch age",
    "age",
    "eft",
    "hours",
    "hour",
    "days",
    "day",
    "inoculation time",
    "time point",
    "timepoint",
    "日時",
    "時刻",
    "日付",
    "年月日",
    "測定日",
    "測定日時",
    "記録日時",
    "採取日時",
    "経過時間",
    "培養時間",
    "時間",
    "日数",
    "月日",
];
const RUN: [&str; 39] = [
    "run",
    "run id",
    "run name",
    "run key",
    "batch",
    "batch id",
    "batch no",
    "batch number",
    "batch name",
    "vessel",
    "vessel id",
    "reactor",
    "reactor id",
    "bioreactor",
    "fermenter",
    "fermentor",
    "fermenter id",
    "line",
    "line name",
    "culture",
    "culture id",
    "parent culture",
    "well",
    "well id",
    "tank",
    "tank no",
    "lot",
    "lot no",
    "cultivation",
    "unit no",
    "unit name",
    "タンク",
    "槽",
    "仕込",
    "バッチ",
    "ロット",
    "発酵槽",
    "培養槽",
    "培養",
];
const SAMPLE: [&str; 20] = [
    "sample",
    "sample id",
    "sample name",
    "sample no",
    "sample number",
    "sample code",
    "sampleid",
    "sample label",
    "sample key",
    "specimen",
    "specimen id",
    "timepoint sample",
    "barcode",
    "検体",
    "検体番号",
    "サンプル",
    "サンプル名",
    "サンプル番号",
    "試料",
    "試料名",
];
const NOTE: [&str; 18] = [
    "note",
    "notes",
    "comment",
    "comments",
    "remark",
    "remarks",
    "memo",
    "operator note",
    "operator comment",
    "備考",
    "メモ",
    "所見",
    "記事",
    "コメント",
    "特記事項",
    "気付き",
    "気づき",
    "摘要",
];
const EVENT: [&str; 15] = [
    "event",
    "events",
    "action",
    "actions",
    "operation",
    "alarm",
    "alarms",
    "step",
    "mark",
    "作業",
    "操作",
    "処置",
    "イベント",
    "警報",
    "工程",
];
const OBSERVATION: [(&str, &str); 27] = [
    ("smell", "odour"),
    ("odour", "odour"),
    ("odor", "odour"),
    ("aroma", "odour"),
    ("香り", "odour"),
    ("香", "odour"),
    ("匂い", "odour"),
    ("臭い", "odour"),
    ("におい", "odour"),
    ("colour", "colour"),
    ("color", "colour"),
    ("色", "colour"),
    ("色調", "colour"),
    ("appearance", "appearance"),
    ("外観", "appearance"),
    ("状貌", "appearance"),
    ("状態", "appearance"),
    ("観察", "appearance"),
    ("foam", "foam"),
    ("泡", "foam"),
    ("泡状", "foam"),
    ("taste", "taste"),
    ("味", "taste"),
    ("sound", "sound"),
    ("音", "sound"),
    ("observation", "appearance"),
    ("observations", "appearance"),
];
const FACT: [&str; 27] = [
    "strain",
    "host",
    "medium",
    "media",
    "base medium",
    "operator",
    "user",
    "experiment",
    "project",
    "condition",
    "cell type",
    "clone",
    "protocol",
    "plate",
    "sample type",
    "site",
    "replicate",
    "strain batch",
    "description",
    "line description",
    "菌株",
    "株",
    "酵母",
    "担当",
    "担当者",
    "培地",
    "条件",
];
const VARIABLE: [&str; 22] = [
    "channel",
    "variable",
    "parameter",
    "tag",
    "tag name",
    "sensor",
    "signal",
    "measured quantity",
    "quantity",
    "analyte",
    "test",
    "assay",
    "measurement",
    "metabolite",
    "測定項目",
    "項目",
    "チャンネル",
    "変数",
    "計測項目",
    "分析項目",
    "タグ",
    "成分",
];
const VALUE: [&str; 10] = ["value", "values", "reading", "result", "measured value", "val", "値", "測定値", "結果", "分析値"];
const UNIT: [&str; 7] = ["unit", "units", "uom", "unit of measure", "engineering unit", "単位", "測定単位"];
const QUALITY: [&str; 8] = ["quality", "flag", "status", "quality flag", "qc", "品質", "フラグ", "品質フラグ"];
/// Words that say a name is not of the quantity itself but of something worked out from it.
const DERIVED: [&str; 20] = [
    "net",
    "lost",
    "formed",
    "consumed",
    "cumsum",
    "cumulative",
    "produced",
    "yield",
    "delta",
    "std",
    "stdev",
    "sd",
    "sem",
    "error",
    "cv",
    "slope",
    "ratio",
    "count",
    "sample",
    "cmol",
];

/// How the header names this role; `None` when it does not.
pub(super) fn fit(role: Role, name: &str) -> Option<(Fit, &'static str)> {
    let list: &[&'static str] = match role {
        Role::Time => &TIME,
        Role::RunKey => &RUN,
        Role::SampleId => &SAMPLE,
        Role::Note => &NOTE,
        Role::Event => &EVENT,
        Role::Fact => &FACT,
        Role::Variable => &VARIABLE,
        Role::Value => &VALUE,
        Role::Unit => &UNIT,
        Role::Quality => &QUALITY,
        Role::Observation => return attribute(name).map(|(fit, _, word)| (fit, word)),
        Role::Channel | Role::Assay | Role::Ignore => return None,
    };
    best(name, list.iter().copied())
}

/// What an observation column attends to: (fit, attribute, word).
pub(super) fn attribute(name: &str) -> Option<(Fit, &'static str, &'static str)> {
    let (fit, word) = best(name, OBSERVATION.iter().map(|(word, _)| *word))?;
    OBSERVATION.iter().find(|(w, _)| *w == word).map(|(_, attribute)| (fit, *attribute, word))
}

/// Does the name speak of something derived?
pub(super) fn derived(name: &str) -> bool {
    plain(name).split(' ').any(|token| DERIVED.contains(&token))
}

fn best(name: &str, list: impl Iterator<Item = &'static str>) -> Option<(Fit, &'static str)> {
    let name = plain(name);
    let padded = format!(" {name} ");
    let mut found: Option<(Fit, usize, &'static str)> = None;
    for word in list {
        // Japanese is written without spaces: there a word may stand anywhere.
        let inside = if word.is_ascii() { padded.contains(&format!(" {word} ")) } else { name.contains(word) };
        let fit = match (name == word, inside && word.chars().count() > 1) {
            (true, _) => Fit::Whole,
            (false, true) => Fit::Part,
            (false, false) => continue,
        };
        if found.is_none_or(|(f, length, _)| (fit, word.len()) > (f, length)) {
            found = Some((fit, word.len(), word));
        }
    }
    found.map(|(fit, _, word)| (fit, word))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headers_name_roles() {
        assert_eq!(fit(Role::Time, "Time"), Some((Fit::Whole, "time")));
        assert_eq!(fit(Role::Time, "測定日時"), Some((Fit::Whole, "測定日時")));
        assert_eq!(fit(Role::RunKey, "Line   NAME"), Some((Fit::Whole, "line name")));
        assert_eq!(fit(Role::SampleId, "Timepoint Sample"), Some((Fit::Whole, "timepoint sample")));
        assert_eq!(fit(Role::Variable, "Measured Quantity"), Some((Fit::Whole, "measured quantity")));
        assert_eq!(attribute("香り").map(|(_, a, _)| a), Some("odour"));
        assert_eq!(fit(Role::Time, "Temperature"), None);
        assert!(derived("lost_glucose_cmol") && !derived("glucose"));
    }
}
