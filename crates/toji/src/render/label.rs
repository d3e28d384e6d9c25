//! Names of fields for people. English is made from the key; Japanese is looked up, for a key says
//! nothing to somebody who does not read English. A key without an entry is shown as it is.

use toji_core::Lang;

/// The label of a key.
pub(super) fn of(key: &str, lang: Lang) -> String {
    let key = super::clean(key);
    if lang == Lang::Ja {
        return japanese(&key).map_or(key, str::to_owned);
    }
    let (name, unit) = match key.strip_suffix("_s") {
        Some(name) if !name.is_empty() => (name, " (s)"),
        _ => (key.as_str(), ""),
    };
    if name == "id" {
        return format!("ID{unit}");
    }
    let words = name.replace('_', " ");
    let mut letters = words.chars();
    let first = letters.next().map(|c| c.to_uppercase().to_string()).unwrap_or_default();
    format!("{first}{}{unit}", letters.as_str())
}

/// The Japanese of a key, where we have it.
pub(crate) fn japanese(key: &str) -> Option<&'static str> {
    JAPANESE.iter().find(|(name, _)| *name == key).map(|(_, label)| *label)
}

const JAPANESE: &[(&str, &str)] = &[
    ("about", "説明"),
    ("actor", "記入者"),
    ("address", "アドレス"),
    ("age_s", "経過 (s)"),
    ("already_there", "登録済み"),
    ("analyte", "分析対象"),
    ("as_of", "時点"),
    ("assays", "分析値"),
    ("at", "日時"),
    ("attribute", "属性"),
    ("basis", "基準"),
    ("blob", "原本"),
    ("blobs", "原本"),
    ("bytes", "バイト数"),
    ("category", "区分"),
    ("change", "変更"),
    ("channel", "系列"),
    ("channels", "系列"),
    ("checked", "検査済み"),
    ("choices", "選択肢"),
    ("clock", "時計"),
    ("code", "コード"),
    ("column", "列"),
    ("columns", "列"),
    ("confidence", "確からしさ"),
    ("created_at", "作成日時"),
    ("decisions", "判断"),
    ("deliveries", "提供"),
    ("deposit", "寄託"),
    ("deposits", "寄託"),
    ("diagnostics", "所見"),
    ("dilution", "希釈"),
    ("dir", "フォルダー"),
    ("dry_run", "試行"),
    ("duration_s", "長さ (s)"),
    ("elapsed_s", "経過 (s)"),
    ("encoding", "文字コード"),
    ("error", "エラー"),
    ("event", "事象"),
    ("events", "事象"),
    ("evidence", "根拠"),
    ("failing", "該当"),
    ("faults", "不整合"),
    ("field", "項目"),
    ("fields", "項目"),
    ("file", "ファイル"),
    ("files", "ファイル"),
    ("filter", "絞り込み"),
    ("findings", "指摘"),
    ("findings_left_out", "一覧外の指摘"),
    ("first_s", "最初 (s)"),
    ("flagged", "要注意"),
    ("flagged_points", "要注意の点数"),
    ("flags", "旗"),
    ("format", "形式"),
    ("format_version", "形式の版"),
    ("from", "開始日時"),
    ("from_s", "開始 (s)"),
    ("grid_s", "格子の間隔 (s)"),
    ("group", "分類"),
    ("header", "見出し"),
    ("help", "説明"),
    ("high", "上限"),
    ("hint", "対処"),
    ("history", "履歴"),
    ("hits", "該当"),
    ("id", "ID"),
    ("if_version", "前提とする版"),
    ("imported_at", "取り込み日時"),
    ("indicators", "循環の指標"),
    ("key", "キー"),
    ("kind", "種別"),
    ("kind_version", "種別の版"),
    ("kinds", "種別"),
    ("label", "名称"),
    ("last_s", "最後 (s)"),
    ("ledger", "台帳"),
    ("licence", "利用条件"),
    ("limit", "最大件数"),
    ("line", "行"),
    ("linked_from", "参照元"),
    ("links", "参照先"),
    ("lost_left_out_thousandths", "一覧外の失点 (1/1000 点)"),
    ("lost_thousandths", "失点 (1/1000 点)"),
    ("low", "下限"),
    ("manifest", "マニフェスト"),
    ("many", "複数"),
    ("mapping", "対応表"),
    ("max", "最大"),
    ("message", "内容"),
    ("method", "方法"),
    ("min", "最小"),
    ("name", "名前"),
    ("not_read", "読まなかったもの"),
    ("note", "備考"),
    ("number", "数値"),
    ("observations", "観察"),
    ("offset", "読み飛ばす件数"),
    ("ok", "正常"),
    ("operation", "操作"),
    ("origin", "由来"),
    ("package", "ZIP の内容アドレス"),
    ("path", "場所"),
    ("paths", "ファイル"),
    ("pixels", "画素数"),
    ("place", "位置"),
    ("places", "対象"),
    ("points", "点数"),
    ("points_changed", "変わった点数"),
    ("points_max", "点数の上限"),
    ("points_new", "新しい点数"),
    ("preview", "見本"),
    ("quality", "品質"),
    ("quantity", "量"),
    ("quantity_label", "量の名称"),
    ("query", "問い合わせ"),
    ("raw", "間引きなし"),
    ("raw_unit", "元の単位"),
    ("reason", "理由"),
    ("recipients", "提供先"),
    ("record", "記録"),
    ("records", "記録"),
    ("release", "公開物"),
    ("releases", "公開物"),
    ("remade_root_hash", "作り直した根ハッシュ"),
    ("remake", "作り直し"),
    ("remedy", "対処"),
    ("required", "必須"),
    ("retired", "廃止"),
    ("role", "役割"),
    ("root_hash", "根ハッシュ"),
    ("row", "行"),
    ("rows", "行"),
    ("rule", "規則"),
    ("rules", "規則"),
    ("run", "培養"),
    ("runs", "培養"),
    ("sample", "試料"),
    ("samples", "試料"),
    ("sampling", "記録間隔"),
    ("score", "一致度"),
    ("score_thousandths", "点数 (1/1000 点)"),
    ("seq", "連番"),
    ("severity", "重さ"),
    ("sha256", "SHA-256"),
    ("sheet", "シート"),
    ("sheets", "シート"),
    ("simulated", "模擬"),
    ("skipped", "対象外"),
    ("snippet", "抜粋"),
    ("sort", "並べ替え"),
    ("source", "出典"),
    ("split", "分割"),
    ("started", "開始"),
    ("state", "状態"),
    ("steps", "経過"),
    ("store", "保存先"),
    ("strain", "株"),
    ("substance", "物質"),
    ("t0", "起点"),
    ("t0_evidence", "起点の根拠"),
    ("t_s", "時間 (s)"),
    ("test", "試験"),
    ("text", "文字列"),
    ("thinned", "間引き"),
    ("time", "時刻"),
    ("title", "題名"),
    ("to", "終了日時"),
    ("to_s", "終了 (s)"),
    ("total", "件数"),
    ("total_points", "全点数"),
    ("train", "学習"),
    ("truncated", "打ち切り"),
    ("type", "型"),
    ("uncertainty", "不確かさ"),
    ("unit", "単位"),
    ("updated_at", "更新日時"),
    ("validation", "検証"),
    ("value", "値"),
    ("values", "値"),
    ("version", "版"),
    ("versions", "版"),
    ("vessel", "培養槽"),
    ("warnings", "警告"),
    ("weight_thousandths", "配点 (1/1000 点)"),
    ("what", "内容"),
    ("zone", "時間帯"),
    ("zone_evidence", "時間帯の根拠"),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_of_both_languages() {
        assert_eq!(of("duration_s", Lang::En), "Duration (s)");
        assert_eq!(of("not_read", Lang::En), "Not read");
        assert_eq!(of("id", Lang::En), "ID");
        assert_eq!(of("not_read", Lang::Ja), "読まなかったもの");
        assert_eq!(of("unheard_of", Lang::Ja), "unheard_of");
        let mut keys: Vec<&str> = JAPANESE.iter().map(|(key, _)| *key).collect();
        let count = keys.len();
        keys.sort_unstable();
        keys.dedup();
        assert_eq!(keys.len(), count, "an entry stands twice");
    }
}
