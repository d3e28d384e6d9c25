//! Shubo (酒母, the yeast starter): by which words its sheets are told from those of koji and moromi.
//!
//! The columns are those of any brewing sheet; the steps are its own. Some steps (水麹, 櫂入れ) are made
//! in moromi too and tell nothing.

use toji_core::culture::Event;

/// Names of the starter and of its kinds.
const NAMES: [&str; 7] = ["酒母", "酛", "生もと", "山廃", "速醸", "shubo", "yeast starter"];
/// Steps that are made in a shubo only.
const STEPS: [&str; 9] = ["打瀬", "暖気", "膨れ", "湧付", "湧き付", "酛分け", "もと分け", "山卸", "枯らし"];

/// Does the text name a shubo?
pub(super) fn named(text: &str) -> bool {
    let text = text.to_lowercase();
    NAMES.iter().any(|n| text.contains(n))
}

/// Are at least two of its own steps among these events?
pub(super) fn stepped<'e>(events: impl Iterator<Item = &'e Event>) -> bool {
    let labels: Vec<&str> = events.map(|e| e.label.as_str()).collect();
    STEPS.iter().filter(|step| labels.iter().any(|l| l.contains(**step))).count() >= 2
}

/// Is this the header of the column of warming barrels (暖気樽)?
pub(super) fn is_warming(header: &str) -> bool {
    header.contains("暖気")
}

#[cfg(test)]
mod tests {
    use crate::{Site, Source, read};

    const SHEET: &str = "酒母経過簿（模擬データ）\n仕込,3号\n日付,時刻,品温,室温,ボーメ,酸度,暖気（本）,操作,状貌\n2026/10/5,8:00,20.5,8,16.0,0.3,,水麹,\n2026/10/6,8:00,9.0,7,15.5,0.5,,打瀬,\n2026/10/8,10:00,18.0,8,14.2,3.1,1,前暖気,泡少し\n2026/10/10,9:00,22.0,8,9.0,5.8,熱湯 2 本,膨れ,泡 高し\n2026/10/12,9:00,12.0,8,5.0,6.5,,酛分け,\n";

    #[test]
    fn a_shubo_sheet_is_called_one_and_keeps_its_warming() {
        let source = Source::new("経過.csv", SHEET.as_bytes()).unwrap();
        let (format, reading) = read(&source, &Site::default()).unwrap();
        assert_eq!(format.id(), "sake-day-sheet");
        let run = &reading.runs[0];
        assert_eq!(run.fields["kind"], "shubo");
        let channel = |key: &str| run.channels.iter().find(|c| c.key.contains(key)).unwrap();
        assert_eq!((channel("酸度").points.len(), channel("酸度").points.number(3)), (5, Some(5.8)));
        assert_eq!(channel("暖気").points.number(0), Some(1.0));
        assert!(run.events.iter().any(|e| e.label.contains("熱湯 2 本")), "{:?}", run.events);
        assert_eq!(run.events.iter().filter(|e| e.label == "打瀬").count(), 1);
        assert!(run.simulated);
    }

    #[test]
    fn a_shubo_in_yaml_is_told_by_its_steps() {
        let yaml = "comment: 模擬データ\nstates:\n- time: 2026-10-05\n  mark: 水麹\n  temps: 20.5\n- time: 2026-10-06\n  mark: 打瀬\n  temps: 9\n- time: 2026-10-10\n  mark: 膨れ\n  temps: 22\n";
        let source = Source::new("x.yaml", yaml.as_bytes()).unwrap();
        let (_, reading) = read(&source, &Site::default()).unwrap();
        assert_eq!((reading.runs[0].fields["kind"].as_str(), reading.runs[0].channels[0].points.len()), (Some("shubo"), 3));
    }
}
