//! Answers for people, made from the JSON of an operation and its schema alone.
//!
//! Lists of objects become tables, texts come in the chosen language, measured values as they were
//! written with their unit, findings like a compiler's. Nothing is known here of any one operation.

mod cell;
mod code;
mod label;
mod table;

use serde_json::{Map, Value as Json};
use table::{Align, Table};
use toji_core::{Diagnostic, Lang};
use toji_server::schema::resolve;

pub(crate) use cell::clean;
pub(crate) use label::japanese;

/// Longest list of plain values that is shown on one line.
const INLINE_MAX: usize = 12;

/// The whole answer of an operation, by its name, as text, with a line break at the end. `columns` limits tables on a terminal.
pub(crate) fn human(operation: &str, json: &Json, schema: &Json, lang: Lang, columns: Option<usize>) -> String {
    let mut page = Page { operation, root: schema, lang, columns, out: String::new() };
    page.value(json, schema, 0);
    if page.out.is_empty() {
        page.out.push_str(if lang == Lang::Ja { "(結果なし)\n" } else { "(nothing)\n" });
    }
    page.out
}

struct Page<'a> {
    operation: &'a str,
    root: &'a Json,
    lang: Lang,
    columns: Option<usize>,
    out: String,
}

impl<'a> Page<'a> {
    fn line(&mut self, indent: usize, text: &str) {
        self.out.push_str(&" ".repeat(indent));
        self.out.push_str(text);
        self.out.push('\n');
    }

    fn value(&mut self, json: &Json, schema: &'a Json, indent: usize) {
        if let Some(text) = cell::whole(json, self.lang) {
            for line in text.lines() {
                self.line(indent, line);
            }
            return;
        }
        match json {
            Json::Object(map) => self.object(map, schema, indent),
            Json::Array(items) => self.list(items, schema, indent),
            _ => {}
        }
    }

    /// Plain fields first, one to a line, then what needs room. A list alone with a few plain fields
    /// comes first instead: the fields (a total, a flag) are its footer.
    fn object(&mut self, map: &Map<String, Json>, schema: &'a Json, indent: usize) {
        if let Some(table) = self.grid(map) {
            self.table(&table, indent);
            return self.fields(map, schema, indent, &["columns", "rows"]);
        }
        let roomy: Vec<&String> = map.iter().filter(|(_, value)| self.needs_room(value)).map(|(key, _)| key).collect();
        let plain = map.len() - roomy.len();
        if let ([only], true) = (roomy.as_slice(), plain <= 3)
            && let Some(Json::Array(items)) = map.get(*only)
            && indent == 0
            && !items.iter().any(cell::is_finding)
        {
            let only = only.as_str();
            self.list(items, self.property(schema, only), indent);
            return self.fields(map, schema, indent, &[only]);
        }
        self.fields(map, schema, indent, &[]);
    }

    fn fields(&mut self, map: &Map<String, Json>, schema: &'a Json, indent: usize, skip: &[&str]) {
        let keys = self.order(map.keys().map(String::as_str), schema);
        let width = keys
            .iter()
            .filter(|key| !map.get(**key).is_some_and(|value| self.needs_room(value)))
            .map(|key| table::width(&self.name(key, schema)))
            .max()
            .unwrap_or(0);
        for key in keys.iter().filter(|key| !skip.contains(key)) {
            let Some(value) = map.get(*key).filter(|value| !self.needs_room(value)) else { continue };
            if cell::is_empty(value) {
                continue;
            }
            let name = self.name(key, schema);
            let pad = " ".repeat(width.saturating_sub(table::width(&name)));
            let text = self.code(key, value, schema).unwrap_or_else(|| cell::of(value, self.lang));
            self.line(indent, &format!("{name}{pad}  {text}"));
        }
        for key in keys.iter().filter(|key| !skip.contains(key)) {
            let Some(value) = map.get(*key).filter(|value| self.needs_room(value)) else { continue };
            let count = value.as_array().map(|items| format!(" ({})", items.len())).unwrap_or_default();
            if !self.out.is_empty() && indent == 0 {
                self.out.push('\n');
            }
            self.line(indent, &format!("{}{count}:", self.name(key, schema)));
            let below = self.property(schema, key);
            self.value(value, below, indent + 2);
        }
    }

    /// Does the value need lines of its own?
    fn needs_room(&self, value: &Json) -> bool {
        if cell::whole(value, self.lang).is_some() {
            return false;
        }
        match value {
            Json::Array(items) => {
                let plain = items.iter().all(|item| cell::whole(item, self.lang).is_some() && !cell::is_finding(item));
                let long = items.len() > INLINE_MAX && !items.iter().all(Json::is_number);
                !items.is_empty() && (!plain || long)
            }
            Json::Object(map) => !map.is_empty(),
            _ => false,
        }
    }

    fn list(&mut self, items: &[Json], schema: &'a Json, indent: usize) {
        if items.is_empty() {
            return self.line(indent, if self.lang == Lang::Ja { "(なし)" } else { "(none)" });
        }
        if items.iter().all(cell::is_finding) {
            for item in items {
                let text = serde_json::from_value::<Diagnostic>(item.clone()).map(|finding| finding.render(self.lang));
                self.line(indent, &clean(&text.unwrap_or_default()));
            }
            return;
        }
        let below = resolve(self.root, schema).get("items").unwrap_or(&Json::Null);
        if items.iter().all(|item| item.is_object() && cell::whole(item, self.lang).is_none()) {
            let table = self.rows(items, below);
            return self.table(&table, indent);
        }
        if items.iter().all(Json::is_array) {
            let table = Table::plain(items.iter().map(|row| self.cells(row)).collect());
            return self.table(&table, indent);
        }
        if items.iter().all(Json::is_number) {
            return self.line(indent, &cell::of(&Json::Array(items.to_vec()), self.lang));
        }
        for item in items {
            self.line(indent, &cell::of(item, self.lang));
        }
    }

    fn cells(&self, row: &Json) -> Vec<String> {
        row.as_array().map(|cells| cells.iter().map(|value| cell::of(value, self.lang)).collect()).unwrap_or_default()
    }

    /// A table of objects: a column for every key that holds something somewhere.
    fn rows(&self, items: &[Json], schema: &'a Json) -> Table {
        let maps: Vec<&Map<String, Json>> = items.iter().filter_map(Json::as_object).collect();
        let mut keys: Vec<&str> = Vec::new();
        for (key, _) in maps.iter().flat_map(|map| map.iter()).filter(|(_, value)| !cell::is_empty(value)) {
            if !keys.contains(&key.as_str()) {
                keys.push(key);
            }
        }
        let keys = self.order(keys.into_iter(), schema);
        let head = keys.iter().map(|key| label::of(self.operation, key, self.lang)).collect();
        let number = |key: &&str| maps.iter().filter_map(|map| map.get(*key)).filter(|v| !v.is_null()).all(Json::is_number);
        let align = keys.iter().map(|key| if number(key) { Align::Right } else { Align::Left }).collect();
        let row = |map: &&Map<String, Json>| {
            let text = |key: &str| match map.get(key) {
                Some(value) => self.code(key, value, schema).unwrap_or_else(|| cell::short(value, self.lang)),
                None => String::new(),
            };
            keys.iter().map(|key| text(key)).collect()
        };
        Table { head, align, rows: maps.iter().map(row).collect() }
    }

    /// `{"columns": [{"name"}], "rows": [[…]]}` is a table by itself.
    fn grid(&self, map: &Map<String, Json>) -> Option<Table> {
        let head: Vec<String> = map
            .get("columns")?
            .as_array()?
            .iter()
            .map(|column| column.get("name").unwrap_or(column).as_str().map(clean))
            .collect::<Option<_>>()?;
        let rows = map.get("rows")?.as_array().filter(|rows| rows.iter().all(Json::is_array))?;
        let number = |i: usize| {
            let cells = rows.iter().filter_map(|row| row.get(i)).filter(|value| !value.is_null());
            cells.fold((false, true), |(_, all), value| (true, all && value.is_number()))
        };
        let align = (0..head.len()).map(|i| if number(i) == (true, true) { Align::Right } else { Align::Left }).collect();
        Some(Table { head, align, rows: rows.iter().map(|row| self.cells(row)).collect() })
    }

    fn table(&mut self, table: &Table, indent: usize) {
        let columns = self.columns.map(|columns| columns.saturating_sub(indent));
        let (lines, left_out) = table.lines(columns);
        for line in lines {
            self.line(indent, &line);
        }
        if !left_out.is_empty() {
            let names = left_out.join(", ");
            let note = if self.lang == Lang::Ja {
                format!("(幅が足りず省いた列: {names})")
            } else {
                format!("(columns left out for want of room: {names})")
            };
            self.line(indent, &note);
        }
    }

    /// The label of a field. Keys of a map are the user's own and stay as they are.
    fn name(&self, key: &str, schema: &Json) -> String {
        let schema = resolve(self.root, schema);
        let is_map = schema.get("additionalProperties").is_some_and(|more| *more != Json::Bool(false));
        let declared = schema.get("properties").is_some_and(|properties| properties.get(key).is_some());
        if is_map && !declared { clean(key) } else { label::of(self.operation, key, self.lang) }
    }

    /// The Japanese of a code, when the schema declares it for the field; a word of the user's stays as it is.
    fn code(&self, key: &str, value: &Json, schema: &'a Json) -> Option<String> {
        let text = value.as_str().filter(|_| self.lang == Lang::Ja)?;
        let word = code::japanese(key, text)?;
        let declared = resolve(self.root, self.property(schema, key));
        code::declared(declared).any(|one| one == text).then(|| word.to_owned())
    }

    /// The schema of a field of an object.
    fn property(&self, schema: &'a Json, key: &str) -> &'a Json {
        let schema = resolve(self.root, schema);
        let named = schema.get("properties").and_then(|properties| properties.get(key));
        named.or_else(|| schema.get("additionalProperties")).unwrap_or(&Json::Null)
    }

    /// Names first, then the fields in the order of their declaration as far as the schema tells it
    /// (its list of required fields keeps the order), then the rest; long words last.
    fn order<'k>(&self, keys: impl Iterator<Item = &'k str>, schema: &Json) -> Vec<&'k str> {
        const FIRST: [&str; 14] = [
            "id", "kind", "key", "name", "code", "title", "label", "state", "error", "vessel", "strain", "format", "started",
            "time",
        ];
        const LAST: [&str; 7] = ["about", "note", "message", "reason", "snippet", "source", "hint"];
        let schema = resolve(self.root, schema);
        let required: Vec<&str> = schema
            .get("required")
            .and_then(Json::as_array)
            .map(|all| all.iter().filter_map(Json::as_str).collect())
            .unwrap_or_default();
        let at = |list: &[&str], key: &str| list.iter().position(|one| *one == key);
        let rank = |key: &str| match (at(&FIRST, key), at(&LAST, key), at(&required, key)) {
            (Some(i), _, _) => (0, i),
            (_, Some(i), _) => (3, i),
            (_, _, Some(i)) => (1, i),
            _ => (2, 0),
        };
        let mut keys: Vec<&str> = keys.collect();
        keys.sort_by_key(|key| rank(key));
        keys
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn check(json: &Json, lang: Lang, expected: &str) {
        let shown = human("", json, &Json::Null, lang, None);
        assert_eq!(shown.trim_end(), expected.trim_matches('\n'), "\n{shown}");
    }

    #[test]
    fn a_list_with_its_total_is_a_table_with_a_footer() {
        let answer = json!({"total": 2, "runs": [
            {"id": "run-1", "title": "麹 仕込み", "points": 12, "vessel": null, "label": {"ja": "酸素", "en": "oxygen"}},
            {"id": "run-22", "title": "fed batch", "points": 3456, "vessel": null, "label": {"ja": "温度", "en": "temperature"}}
        ]});
        let en = "
ID      Title      Label        Points
──────  ─────────  ───────────  ──────
run-1   麹 仕込み  oxygen           12
run-22  fed batch  temperature    3456
Total  2";
        check(&answer, Lang::En, en);
        let ja = "
ID      題名       名称  点数
──────  ─────────  ────  ────
run-1   麹 仕込み  酸素    12
run-22  fed batch  温度  3456
件数  2";
        check(&answer, Lang::Ja, ja);
    }

    #[test]
    fn nested_things_are_set_apart() {
        let answer = json!({"id": "run-1", "simulated": false, "clock": {"zone": "Asia/Tokyo", "t0": null},
            "samples": [{"key": "s1", "value": {"kind": "less-than", "text": "< 10.04", "unit": "mg/L", "number": 10.04}}],
            "quantities": ["ph", "do"]});
        let expected = "
ID          run-1
Quantities  ph, do
Simulated   no

Clock:
  Zone  Asia/Tokyo

Samples (1):
  Key  Value
  ───  ────────────
  s1   < 10.04 mg/L";
        check(&answer, Lang::En, expected);
    }

    #[test]
    fn findings_read_like_those_of_a_compiler() {
        let answer = json!({"points": 3, "warnings": [{"severity": "warning", "code": "W-CLOCK-001",
            "place": {"file": "a.csv", "line": 4}, "message": {"ja": "時計が戻る", "en": "the clock goes back"},
            "remedy": {"ja": "確認", "en": "look at it"}}]});
        check(
            &answer,
            Lang::En,
            "Points  3\n\nWarnings (1):\n  a.csv:4: warning[W-CLOCK-001]: the clock goes back (hint: look at it)",
        );
        check(&answer, Lang::Ja, "点数  3\n\n警告 (1):\n  a.csv:4: 警告[W-CLOCK-001]: 時計が戻る (対処: 確認)");
    }

    #[test]
    fn rows_with_columns_are_a_grid() {
        let answer = json!({"columns": [{"name": "n", "type": "Int64"}, {"name": "酒", "type": "Utf8"}],
            "rows": [[1, "純米"], [20, null]], "truncated": false});
        check(&answer, Lang::En, " n  酒\n──  ────\n 1  純米\n20\nTruncated  no");
    }

    #[test]
    fn keys_of_a_map_are_the_users_own() {
        let schema = json!({"properties": {"fields": {"type": "object", "additionalProperties": true}}});
        let shown = human("", &json!({"fields": {"name": "x", "pH_set": 7}}), &schema, Lang::Ja, None);
        assert_eq!(shown, "項目:\n  name    x\n  pH_set  7\n");
    }

    #[test]
    fn codes_that_the_schema_declares_are_words_in_japanese() {
        let schema = json!({"properties": {"files": {"type": "array", "items": {"$ref": "#/$defs/File"}}},
            "$defs": {"File": {"properties": {"name": {"type": "string"}, "state": {"$ref": "#/$defs/State"}}},
                "State": {"oneOf": [{"const": "imported"}, {"const": "refused"}, {"const": "unheard-of"}]}}});
        let answer = json!({"files": [{"name": "imported", "state": "imported"}, {"name": "b", "state": "unheard-of"}]});
        let japanese = human("", &answer, &schema, Lang::Ja, None);
        assert_eq!(japanese, "名前      状態\n────────  ──────────\nimported  取込済み\nb         unheard-of\n");
        assert!(human("", &answer, &schema, Lang::En, None).contains("imported  imported\n"));
        // A state that the schema does not declare is somebody's own word.
        assert!(human("", &json!({"state": "imported"}), &json!({}), Lang::Ja, None).contains("imported"));
        let plain = json!({"properties": {"state": {"$ref": "#/$defs/State"}}, "$defs": {"State": {"enum": ["imported"]}}});
        assert_eq!(human("", &json!({"state": "imported"}), &plain, Lang::Ja, None), "状態  取込済み\n");
    }

    #[test]
    fn a_word_that_means_something_else_somewhere_is_called_otherwise_there() {
        let check = |operation: &str, key: &str, ja: &str, en: &str| {
            let shown = |lang| label::of(operation, key, lang);
            assert_eq!((shown(Lang::Ja).as_str(), shown(Lang::En).as_str()), (ja, en), "{operation} {key}");
        };
        check("commons use", "agreement", "契約", "Agreement");
        check("sense agreement", "agreement", "一致度", "Agreement");
        check("commons benchmark", "measure", "指標", "Measure");
        check("commons budget", "allowed", "上限", "Allowed");
        check("commons catalogue", "allowed", "許可", "Allowed");
        check("commons uses", "used", "自社の利用", "Used of others");
        check("node status", "waiting", "渡し待ち", "Waits to go");
        let answer = json!({"agreement": "AG-1", "owed": 2});
        assert_eq!(human("commons account", &answer, &Json::Null, Lang::Ja, None), "契約    AG-1\n未履行  2\n");
    }

    #[test]
    fn the_schema_keeps_the_declared_order() {
        let schema = json!({"type": "array", "items": {"$ref": "#/$defs/Row"},
            "$defs": {"Row": {"required": ["zulu", "alpha"]}}});
        let shown = human("", &json!([{"alpha": 1, "zulu": 2, "id": "x"}]), &schema, Lang::En, None);
        assert!(shown.starts_with("ID  Zulu  Alpha\n"), "{shown}");
    }

    #[test]
    fn long_series_are_told_and_not_poured_out() {
        let series: Vec<f64> = (0..500).map(f64::from).collect();
        let shown = human("", &json!({"t_s": series}), &Json::Null, Lang::En, None);
        assert!(shown.len() < 120 && shown.contains("500"), "{shown}");
    }

    #[test]
    fn empty_answers_say_so() {
        check(&json!({}), Lang::En, "(nothing)");
        check(&json!({"total": 0, "runs": []}), Lang::En, "Total  0");
        check(&json!([]), Lang::Ja, "(なし)");
    }

    #[test]
    fn control_characters_of_a_file_cannot_reach_the_terminal() {
        let shown = human("", &json!({"title": "a\u{1b}[2Jb\u{7}"}), &Json::Null, Lang::En, None);
        assert!(!shown.contains('\u{1b}') && !shown.contains('\u{7}'), "{shown:?}");
    }
}
