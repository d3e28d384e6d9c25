//! Codes that an answer declares (a state, a role, a rule), in Japanese. English shows the code itself, and so
//! does `--json`. Codes of records are the user's own words and are not looked up here.

use serde_json::Value as Json;

/// The Japanese of a code of a field, where we have it.
pub(super) fn japanese(field: &str, code: &str) -> Option<&'static str> {
    JAPANESE.iter().find(|(of, name, _)| *of == field && *name == code).map(|(_, _, word)| *word)
}

/// The codes that a schema declares, written either as `enum` or as constants.
pub(super) fn declared(schema: &Json) -> impl Iterator<Item = &str> {
    let variants = ["oneOf", "anyOf"].into_iter().filter_map(move |key| schema.get(key)?.as_array()).flatten();
    std::iter::once(schema).chain(variants).flat_map(|one| {
        let list = one.get("enum").and_then(Json::as_array).into_iter().flatten();
        list.chain(one.get("const")).filter_map(Json::as_str)
    })
}

const JAPANESE: &[(&str, &str, &str)] = &[
    ("account_state", "active", "使用中"),
    ("account_state", "closed", "閉鎖"),
    ("account_state", "invited", "登録待ち"),
    ("account_state", "locked", "停止中"),
    ("alarm", "high", "上限超過"),
    ("alarm", "low", "下限未満"),
    ("alarm", "not-good", "値に異常の印"),
    ("beyond", "above", "測定範囲超過"),
    ("beyond", "below", "検出限界未満"),
    ("breadth", "alone", "一変数だけ"),
    ("breadth", "together", "複数の変数"),
    ("cause", "carbon-dioxide", "CO2 の蓄積"),
    ("cause", "heat-removal", "除熱"),
    ("cause", "mixing", "混合（副生物）"),
    ("cause", "oxygen-transfer", "酸素移動"),
    ("change", "added", "追加"),
    ("change", "changed", "変更"),
    ("change", "removed", "消失"),
    ("conformity", "departs", "外れている"),
    ("conformity", "normal", "正常"),
    ("constraint", "carbon-dioxide", "溶存 CO2"),
    ("constraint", "flooding", "フラッディング"),
    ("constraint", "gas-velocity", "ガス空塔速度"),
    ("constraint", "heat", "除熱"),
    ("constraint", "oxygen", "酸素供給"),
    ("constraint", "power", "撹拌動力"),
    ("constraint", "tip-speed", "翼端速度"),
    ("decided", "controller", "制御器"),
    ("decided", "recipe", "レシピ"),
    ("decided", "safe", "安全側（レシピ）"),
    ("departure", "farther", "離れ方が大きい（T²）"),
    ("departure", "farther-and-new", "離れ方も連動も異なる"),
    ("departure", "inside", "限界内"),
    ("departure", "new-pattern", "連動が異なる（SPE）"),
    ("design_role", "constraint", "制約"),
    ("design_role", "cycle", "設計サイクル"),
    ("design_role", "edit", "改変"),
    ("design_role", "strain", "株"),
    ("design_role", "test", "試験"),
    ("direction", "at-least", "以上"),
    ("direction", "at-most", "以下"),
    ("evidence", "model-only", "モデルのみ"),
    ("evidence", "runs-left-out", "除いた培養で較正"),
    ("fate", "met", "達成"),
    ("fate", "missed", "未達"),
    ("fate", "refuted", "棄却"),
    ("fate", "undecided", "判定できない"),
    ("finding", "associated", "関連あり"),
    ("finding", "cannot-tell", "分からない"),
    ("finding", "maybe-time", "時間の影響の可能性"),
    ("finding", "weak", "関連は弱い"),
    ("gas", "carbon-dioxide", "二酸化炭素"),
    ("gas", "hydrogen", "水素"),
    ("gas", "nitrogen", "窒素"),
    ("gas", "oxygen", "酸素"),
    ("gas_rule", "gas-velocity", "空塔速度一定"),
    ("gas_rule", "vvm", "vvm 一定"),
    ("identifiable", "determined", "決まる"),
    ("identifiable", "not-examined", "調べていない"),
    ("identifiable", "not-identifiable", "決まらない"),
    ("identifiable", "only-above", "上限だけ決まる"),
    ("identifiable", "only-below", "下限だけ決まる"),
    ("kind", "agreement", "絶対一致 ICC(2,1)"),
    ("kind", "clock", "時刻"),
    ("kind", "consistency", "一貫性 ICC(3,1)"),
    ("kind", "date-and-time", "日付と時刻が別の列"),
    ("kind", "elapsed", "経過時間"),
    ("kind", "one-way", "一元配置 ICC(1,1)"),
    ("layout", "long", "1 行 1 値"),
    ("layout", "runs", "1 行 1 培養"),
    ("layout", "samples", "1 行 1 試料"),
    ("layout", "wide", "1 行 1 時点"),
    ("limited_by", "carbon-dioxide", "二酸化炭素"),
    ("limited_by", "cells", "菌体"),
    ("limited_by", "gas-transfer", "ガス移動"),
    ("limited_by", "hydrogen", "水素"),
    ("limited_by", "nitrogen", "窒素"),
    ("limited_by", "oxygen", "酸素"),
    ("measure", "addition", "添加量"),
    ("measure", "cells", "生細胞（菌体）"),
    ("measure", "compound-only", "物質名のみ"),
    ("measure", "detection-threshold", "検知閾値"),
    ("measure", "dilution", "希釈率"),
    ("measure", "harvest-titre", "回収液の力価"),
    ("measure", "per-cell", "細胞あたりの生産性"),
    ("measure", "per-medium", "培地あたりの生産物"),
    ("measure", "per-volume", "容積あたりの生産性"),
    ("measure", "perfusion-per-cell", "細胞あたりの灌流速度 (CSPR)"),
    ("measure", "residence", "生産物の滞留時間"),
    ("measure", "slowest-mode", "最も遅い時定数"),
    ("measure", "time-to-productive", "細胞と生産物が定常になるまでの時間"),
    ("measure", "time-to-steady", "定常までの時間"),
    ("measure", "titre", "槽内の力価"),
    ("numbers", "comma", "小数コンマ"),
    ("numbers", "point", "小数点"),
    ("order", "day-month-year", "日月年"),
    ("order", "month-day-year", "月日年"),
    ("order", "year-month-day", "年月日"),
    ("origin", "actuator", "操作量"),
    ("origin", "calculated", "計算値"),
    ("origin", "sensor", "センサー"),
    ("origin", "setpoint", "設定値"),
    ("origin", "unknown", "記載なし"),
    ("outcome", "as-good", "劣らない"),
    ("outcome", "poor", "劣る"),
    ("outcome", "undecided", "判定できない"),
    ("permission", "lost", "許可を喪失"),
    ("permission", "may-steer", "制御に使用可"),
    ("permission", "not-enough-evidence", "証拠不足"),
    ("persistence", "lasting", "持続"),
    ("persistence", "passing", "一過性"),
    ("process_phase", "finishing", "仕上げ"),
    ("process_phase", "harvest", "回収"),
    ("process_phase", "pretreatment", "前処理"),
    ("process_phase", "purification", "精製"),
    ("raised_by", "forecast", "保存済みの予測"),
    ("raised_by", "golden-band", "ゴールデンバンド"),
    ("raised_by", "model", "T²・SPE"),
    ("role", "assay", "分析値"),
    ("role", "channel", "系列"),
    ("role", "event", "事象"),
    ("role", "fact", "付帯情報"),
    ("role", "ignore", "対象外"),
    ("role", "note", "備考"),
    ("role", "observation", "観察"),
    ("role", "quality", "品質"),
    ("role", "run-key", "培養名"),
    ("role", "sample-id", "試料 ID"),
    ("role", "time", "時間"),
    ("role", "unit", "単位（縦長の表）"),
    ("role", "value", "値（縦長の表）"),
    ("role", "variable", "量の名前（縦長の表）"),
    ("roles", "ai-service", "AI サービス"),
    ("roles", "auditor", "監査人"),
    ("roles", "biosafety-officer", "バイオセーフティ責任者"),
    ("roles", "biosecurity-reviewer", "バイオセキュリティ審査者"),
    ("roles", "cdmo-operator", "CDMO 製造担当"),
    ("roles", "contributor-admin", "提供管理者"),
    ("roles", "export-control-officer", "輸出管理責任者"),
    ("roles", "guest", "ゲスト"),
    ("roles", "operator", "基盤運営者"),
    ("roles", "scientist", "研究者"),
    ("roles", "steward", "データ管理責任者"),
    ("rule", "last", "直前値"),
    ("rule", "linear", "直線補間"),
    ("rule", "mean", "平均"),
    ("rule", "mixing-time", "混合時間一定"),
    ("rule", "power-per-volume", "P/V 一定"),
    ("rule", "reynolds", "レイノルズ数一定"),
    ("rule", "sum", "合計"),
    ("rule", "tip-speed", "翼端速度一定"),
    ("severity", "error", "エラー"),
    ("severity", "note", "参考"),
    ("severity", "warning", "警告"),
    ("shape", "affine", "アフィン変換"),
    ("shape", "matrix", "行列"),
    ("shape", "root-polynomial", "二次の根多項式"),
    ("side", "at-least", "以上"),
    ("side", "below", "未満"),
    ("spot", "feed", "供給配管"),
    ("spot", "head-space", "ヘッドスペース"),
    ("spot", "outlet", "培養液の出口"),
    ("spot", "suction", "吸込み"),
    ("spot", "supply", "供給ガス"),
    ("spread_from", "between-runs", "培養間"),
    ("spread_from", "intervals", "値の区間"),
    ("spread_from", "stated", "指定"),
    ("standing", "at-risk", "余裕なし"),
    ("standing", "exceeded", "超過"),
    ("standing", "inside", "爆発範囲内"),
    ("standing", "near", "余裕不足"),
    ("standing", "not-measured", "未測定"),
    ("standing", "not-seen", "現れない"),
    ("standing", "on-both", "両スケールに現れた"),
    ("standing", "outside", "範囲外"),
    ("standing", "shown", "大スケールだけに現れた"),
    ("state", "already-there", "取込済み（同一ファイル）"),
    ("state", "closed", "完了"),
    ("state", "ended", "終了"),
    ("state", "imported", "取込済み"),
    ("state", "no-data", "データなし"),
    ("state", "open", "未決"),
    ("state", "outage", "通信断"),
    ("state", "planned", "計画"),
    ("state", "receiving", "受信中"),
    ("state", "refused", "拒否"),
    ("state", "rejected", "不合格"),
    ("state", "released", "出荷可"),
    ("state", "running", "培養中"),
    ("state", "silent", "一分以上無音"),
    ("state", "would-import", "読み取り可能"),
    ("step", "bulk", "汎用"),
    ("step", "high-value", "高付加価値"),
    ("step", "middle", "中間"),
    ("verdict", "better", "対照より良い"),
    ("verdict", "cannot-tell", "分からない"),
    ("verdict", "control", "対照"),
    ("verdict", "fail", "不合格"),
    ("verdict", "good", "良好"),
    ("verdict", "improve", "要改善"),
    ("verdict", "no-steady-state", "定常状態なし"),
    ("verdict", "not-determined", "判定できない"),
    ("verdict", "not-measured", "未測定"),
    ("verdict", "not-separable", "差は見分けられない"),
    ("verdict", "not-steady", "定常でない"),
    ("verdict", "outside", "規格外"),
    ("verdict", "pass", "合格"),
    ("verdict", "steady", "定常"),
    ("verdict", "undecided", "決まらない"),
    ("verdict", "washed-out", "ウォッシュアウト"),
    ("verdict", "watch", "注意"),
    ("verdict", "within", "規格内"),
    ("verdict", "worse", "対照より悪い"),
    ("way", "continuous", "連続培養"),
    ("way", "fed-batch", "流加培養"),
    ("what", "constant", "定数"),
    ("what", "defined", "定義"),
    ("what", "observed", "観測"),
    ("what", "profile", "設定表"),
    ("what", "species", "種"),
    ("what", "state", "状態"),
    ("what", "volume", "液量"),
    ("which", "farthest", "最も離れた点"),
    ("which", "first", "最初に超えた点"),
    ("which", "latest", "最新の点"),
    ("why", "exploit", "最良を上回る見込み"),
    ("why", "explore", "不確かな点の試行"),
    ("why", "fill-space", "均等に埋める"),
    ("why", "replicate", "反復"),
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::render::label;
    use std::collections::BTreeSet;
    use toji_server::schema::resolve;

    /// Fields whose codes are names in both languages: protocols, types of fields, units of time.
    const NAMES: [&str; 3] = ["protocol", "type", "unit"];

    /// Calls back for every field that a schema declares, with the schema of the field.
    fn each<'a>(root: &'a Json, schema: &'a Json, found: &mut impl FnMut(&'a str, &'a Json)) {
        for key in ["properties", "$defs"] {
            for (name, below) in schema.get(key).and_then(Json::as_object).into_iter().flatten() {
                if key == "properties" {
                    found(name, resolve(root, below));
                }
                each(root, below, found);
            }
        }
        for key in ["oneOf", "anyOf", "allOf", "prefixItems"] {
            schema.get(key).and_then(Json::as_array).into_iter().flatten().for_each(|below| each(root, below, found));
        }
        for key in ["items", "additionalProperties"] {
            schema.get(key).into_iter().for_each(|below| each(root, below, found));
        }
    }

    #[test]
    fn answers_have_japanese_labels_and_codes() {
        let mut missing = BTreeSet::new();
        for operation in toji_ops::operations() {
            let root = operation.output.as_value();
            each(root, root, &mut |field, schema| {
                if label::japanese(field).is_none() {
                    missing.insert(format!("{}: {field}", operation.name));
                }
                let items = schema.get("items").map(|items| resolve(root, items));
                for code in declared(schema).chain(items.into_iter().flat_map(declared)) {
                    if !NAMES.contains(&field) && japanese(field, code).is_none() {
                        missing.insert(format!("{}: {field} {code}", operation.name));
                    }
                }
            });
        }
        assert!(missing.is_empty(), "without Japanese, to be added to label.rs or code.rs: {missing:#?}");
    }

    #[test]
    fn an_entry_stands_once() {
        let all: BTreeSet<(&str, &str)> = JAPANESE.iter().map(|(field, code, _)| (*field, *code)).collect();
        assert_eq!(all.len(), JAPANESE.len());
    }
}
