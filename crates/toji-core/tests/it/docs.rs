//! The examples of the documentation are real: they parse, and the migration shown runs.

use serde_json::json;
use toji_core::kind::Kind;
use toji_core::record::FieldMap;

fn blocks(page: &str) -> Vec<&str> {
    page.split("```toml\n").skip(1).map(|rest| rest.split("```").next().unwrap()).collect()
}

#[test]
fn the_example_of_adding_a_kind_works_as_written() {
    for (file, page) in [
        ("en/kinds.md", include_str!("../../../../docs/src/en/kinds.md")),
        ("ja/kinds.md", include_str!("../../../../docs/src/ja/kinds.md")),
    ] {
        let [kind, _, migration] = blocks(page).try_into().unwrap();
        let first = Kind::parse(file, kind).unwrap();
        assert_eq!((first.kind.as_str(), first.fields.len()), ("water-test", 5));
        let second = Kind::parse(file, &format!("{}\n{migration}", kind.replace("version = 1", "version = 2"))).unwrap();
        let old: FieldMap =
            serde_json::from_value(json!({"place": "well", "fe": 20, "verdict": "ok", "runs": "r-1; r-2"})).unwrap();
        let new = second.migrate(&old, 1).unwrap();
        let expected = json!({"place": "well", "iron": 0.02, "verdict": "fit", "runs": ["r-1", "r-2"], "area": "competitive"});
        assert_eq!(serde_json::Value::Object(new.clone()), expected, "{file}");
        assert!(second.validate(&new).is_empty());
    }
}
