//! The OpenAPI 3.1 document, made from the registry of operations.
//!
//! JSON Schema 2020-12 is the schema language of OpenAPI 3.1, so the schemas go in as they are; only
//! `$defs` are hoisted into `components/schemas`, where equal ones are shared. Every object is sorted
//! by key, so that the same registry always gives the same text.

use crate::problem::Problem;
use crate::schema;
use serde_json::{Map, Value as Json, json};
use std::collections::{BTreeMap, BTreeSet};
use toji_ops::{Effect, Operation};

/// Where the operations are.
pub const BASE: &str = "/api/v1";

/// Makes the document.
#[must_use]
pub fn document(operations: &[Operation]) -> Json {
    let mut components = Components::default();
    let problem = components.hoist("Problem", schemars::schema_for!(Problem).as_value());
    let step = components.hoist("Progress", schemars::schema_for!(toji_ops::Step).as_value());
    components.insert("Job", job_schema(&step, &problem));
    let mut paths = Map::new();
    for operation in operations {
        let (noun, verb) = operation.noun_verb();
        paths.insert(format!("{BASE}/{noun}/{verb}"), path_item(operation, &mut components));
    }
    paths.extend(own_paths());
    let mut document = json!({
        "openapi": "3.1.0",
        "info": {
            "title": "Toji",
            "version": env!("CARGO_PKG_VERSION"),
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
            "description": "Every operation of Toji over HTTP. Text is always given in Japanese and English.\n\n\
                Toji のすべての操作を HTTP で提供します。文言は常に日本語と英語の両方で返します。"
        },
        "servers": [{"url": "/"}],
        "tags": tags(operations),
        "paths": paths,
        "components": {
            "schemas": components.schemas,
            "responses": {"Problem": {
                "description": "Refused or failed (RFC 9457) / 拒否または失敗",
                "content": {"application/problem+json": {"schema": {"$ref": problem}}}
            }}
        }
    });
    document.sort_all_objects();
    document
}

/// The document as text: two spaces of indent and a line break at the end, as it is committed.
#[must_use]
pub fn text(operations: &[Operation]) -> String {
    format!("{:#}\n", document(operations))
}

fn tags(operations: &[Operation]) -> Json {
    let mut nouns: Vec<&str> = operations.iter().map(|operation| operation.noun_verb().0).collect();
    nouns.sort_unstable();
    nouns.dedup();
    nouns.push("service");
    nouns.iter().map(|noun| json!({"name": noun})).collect()
}

fn path_item(operation: &Operation, components: &mut Components) -> Json {
    let name = pascal(operation.name);
    let input = components.hoist(&format!("{name}Input"), operation.input.as_value());
    let output = components.hoist(&format!("{name}Output"), operation.output.as_value());
    let description = format!("{}\n\n{}", operation.about.en, operation.about.ja);
    let mut responses = json!({
        "200": {"description": "Done / 完了", "content": {"application/json": {"schema": {"$ref": output}}}},
        "default": {"$ref": "#/components/responses/Problem"}
    });
    if let (true, Some(responses)) = (operation.long, responses.as_object_mut()) {
        responses.insert("202".into(), accepted());
    }
    let (noun, _) = operation.noun_verb();
    let words = json!({
        "tags": [noun], "summary": operation.label.en, "description": description,
        "x-label": operation.label, "x-about": operation.about, "x-effect": operation.effect,
        "x-long": operation.long, "x-example": operation.example, "responses": responses
    });
    let mut post = words.clone();
    let id = operation.name.replace([' ', '-'], "_");
    if let Some(post) = post.as_object_mut() {
        post.insert("operationId".into(), json!(id));
        let body = json!({"required": true, "content": {"application/json": {"schema": {"$ref": input}}}});
        post.insert("requestBody".into(), body);
        if operation.long {
            post.insert("parameters".into(), json!([prefer_header()]));
        }
    }
    let mut item = json!({"post": post});
    if let (Effect::Read, Some(item)) = (operation.effect, item.as_object_mut()) {
        let mut get = words;
        if let Some(get) = get.as_object_mut() {
            get.insert("operationId".into(), json!(format!("{id}_by_query")));
            get.insert("parameters".into(), components.parameters(&name, operation.input.as_value()));
        }
        item.insert("get".into(), get);
    }
    item
}

fn accepted() -> Json {
    json!({
        "description": "Taken as a job / ジョブとして受付",
        "content": {"application/json": {"schema": {
            "type": "object", "required": ["job"], "properties": {"job": {"type": "string"}}
        }}}
    })
}

fn prefer_header() -> Json {
    json!({
        "name": "Prefer", "in": "header", "required": false, "schema": {"type": "string", "enum": ["respond-async"]},
        "description": "`respond-async` takes the work as a job.\n\n`respond-async` を指定するとジョブとして受け付けます。"
    })
}

fn job_schema(step: &str, problem: &str) -> Json {
    json!({
        "type": "object",
        "required": ["id", "operation", "state"],
        "properties": {
            "id": {"type": "string"},
            "operation": {"type": "string"},
            "state": {"enum": ["queued", "running", "done", "failed", "cancelled"]},
            "progress": {"anyOf": [{"$ref": step}, {"type": "null"}]},
            "output": {"description": "Output of the operation once it is done."},
            "error": {"anyOf": [{"$ref": problem}, {"type": "null"}]}
        }
    })
}

/// The paths that are not operations.
fn own_paths() -> Map<String, Json> {
    let problem = json!({"$ref": "#/components/responses/Problem"});
    let json_of = |schema: Json| json!({"description": "Done / 完了", "content": {"application/json": {"schema": schema}}});
    let job = json!({"$ref": "#/components/schemas/Job"});
    let id = json!([{"name": "id", "in": "path", "required": true, "schema": {"type": "string"}}]);
    let entry = |id: &str, ja: &str, en: &str, responses: Json| json!({"operationId": id, "tags": ["service"], "summary": en, "x-label": {"ja": ja, "en": en}, "responses": responses});
    let events = json!({"description": "Server-sent events; each `data` is a Job / 各 `data` はジョブ",
        "content": {"text/event-stream": {"schema": {"type": "string"}}}});
    let updates = json!({"description": "Server-sent events named `update`; each `data` is {change, values: [[channel, seconds since 1970, number, quality, text]], points: {channel: {t_s, value}}}; a last event `fault` is a problem",
        "content": {"text/event-stream": {"schema": {"type": "string"}}}});
    let mut upload = entry(
        "upload",
        "ファイルの受け取り",
        "Keep files byte for byte",
        json!({
            "200": json_of(json!({"type": "object", "required": ["files"], "properties": {"files": {"type": "array", "items": {
                "type": "object", "required": ["name", "address", "bytes"],
                "properties": {"name": {"type": "string"}, "address": {"type": "string"}, "bytes": {"type": "integer"}}
            }}}})),
            "default": problem
        }),
    );
    if let Some(upload) = upload.as_object_mut() {
        let form = json!({"type": "object", "required": ["file"], "properties": {"file": {"type": "array",
            "items": {"type": "string", "contentMediaType": "application/octet-stream"}}}});
        upload.insert("requestBody".into(), json!({"required": true, "content": {"multipart/form-data": {"schema": form}}}));
    }
    let anything = json!({"type": "object"});
    Map::from_iter([
        (format!("{BASE}/session"), session_path()),
        (
            format!("{BASE}/session/enrol"),
            json!({"post": session_entry("enrol", "利用者の登録", "Enrol with an enrolment code", &["user", "code", "password"], &[])}),
        ),
        (
            format!("{BASE}/session/node"),
            json!({"post": session_entry("node", "ノードのログイン", "Another node asks for a challenge, or comes with it signed", &["user"], &["challenge", "signed"])}),
        ),
        (
            format!("{BASE}/session/password"),
            json!({"post": session_entry("password", "パスワードの変更", "Change the password", &["password", "new_password"], &["code"])}),
        ),
        (
            format!("{BASE}/session/second-factor"),
            json!({"post": session_entry("second_factor", "二要素認証の登録", "Begin (with the password) or confirm (with a code) a second factor", &[], &["password", "code"])}),
        ),
        (
            format!("{BASE}/session/provider/begin"),
            json!({"post": session_entry("provider_begin", "プロバイダーでのログインの開始", "Begin a log-in at the provider", &[], &[])}),
        ),
        (
            format!("{BASE}/session/provider"),
            json!({"post": session_entry("provider_log_in", "プロバイダーでのログイン", "Log in with what the provider sent back", &["code", "state"], &["iss"])}),
        ),
        (
            format!("{BASE}/session/passkey/begin"),
            json!({"post": session_entry("passkey_begin", "パスキーによるログインの開始", "Begin a log-in with a passkey, beside user and password or alone", &[], &["user", "password"])}),
        ),
        (
            format!("{BASE}/session/passkey"),
            json!({"post": session_entry("passkey_log_in", "パスキーによるログイン", "Log in with a passkey", &["credential"], &[])}),
        ),
        (
            format!("{BASE}/session/passkeys"),
            json!({
                "get": entry("passkey_list", "パスキーの一覧", "List one's passkeys", json!({"200": json_of(anything.clone()), "default": problem.clone()})),
                "post": session_entry("passkey_add", "パスキーの登録", "Register a passkey", &["name", "credential"], &[])
            }),
        ),
        (
            format!("{BASE}/session/passkeys/begin"),
            json!({"post": session_entry("passkey_begin_new", "パスキーの登録の開始", "Begin a passkey (with the password)", &["password"], &["code"])}),
        ),
        (
            format!("{BASE}/session/passkeys/rename"),
            json!({"post": session_entry("passkey_rename", "パスキーの改名", "Rename a passkey", &["id", "name"], &[])}),
        ),
        (
            format!("{BASE}/session/passkeys/remove"),
            json!({"post": session_entry("passkey_remove", "パスキーの削除", "Remove a passkey", &["id", "password"], &["code"])}),
        ),
        (format!("{BASE}/upload"), json!({"post": upload})),
        (
            format!("{BASE}/jobs/{{id}}"),
            json!({
                "parameters": id,
                "get": entry("job_show", "ジョブの状態", "State of a job", json!({"200": json_of(job.clone()), "default": problem})),
                "delete": entry("job_cancel", "ジョブの取り消し", "Cancel a job", json!({"200": json_of(job), "default": problem}))
            }),
        ),
        (
            format!("{BASE}/jobs/{{id}}/events"),
            json!({"parameters": id, "get": entry("job_events", "ジョブの経過", "Follow a job", json!({"200": events, "default": problem}))}),
        ),
        (
            format!("{BASE}/live/stream"),
            json!({"get": entry("live_stream", "ライブの最新値を追う", "Follow the latest live values", json!({"200": updates, "default": problem})),
            "parameters": [
                {"name": "run", "in": "query", "schema": {"type": "string"}, "description": "Run whose new points are sent too / 新しい点も送る培養"},
                {"name": "hz", "in": "query", "schema": {"type": "number"}, "description": "Updates a second, 0.1 to 4 / 毎秒の更新回数"}
            ]}),
        ),
        (
            format!("{BASE}/operations"),
            json!({"get": entry("operations", "操作の一覧", "List the operations", json!({"200": json_of(anything.clone())}))}),
        ),
        ("/healthz".to_owned(), json!({"get": entry("healthz", "稼働確認", "Is it alive?", json!({"200": json_of(anything)}))})),
    ])
}

/// `/api/v1/session`: who am I, in and out.
fn session_path() -> Json {
    let text = json!({"type": "string"});
    let shown = json!({"type": "object", "required": ["login", "second_factor_required", "passkey_origin", "provider", "user"], "properties": {
        "provider": {"type": ["string", "null"], "description": "Provider where one may log in instead / ログインできるプロバイダー"},
        "passkey_origin": {"type": ["string", "null"], "description": "Origin that passkeys count at / パスキーを使えるオリジン"},
        "second_factor_required": {"type": "boolean", "description": "Does this server ask for a second factor? / 二要素認証を求めるか"},
        "login": {"type": "boolean", "description": "Does this store ask for a log-in? / ログインを求めるか"},
        "user": {"anyOf": [{"type": "null"}, {"type": "object", "required": ["id", "roles", "second_factor", "authenticator_app", "passkeys", "recovery_codes", "ends"], "properties": {
            "id": text, "organisation": {"type": ["string", "null"]},
            "roles": {"type": "array", "items": {"type": "object", "required": ["code", "label"], "properties": {"code": text,
                "label": {"type": "object", "required": ["ja", "en"], "properties": {"ja": text, "en": text}}}}},
            "second_factor": {"type": "boolean"}, "authenticator_app": {"type": "boolean"}, "passkeys": {"type": "integer"}, "recovery_codes": {"type": "integer"}, "ends": text
        }}]}
    }});
    let answer = |schema: Json| {
        json!({"200": {"description": "Done / 完了", "content": {"application/json": {"schema": schema}}},
        "default": {"$ref": "#/components/responses/Problem"}})
    };
    let entry = |id: &str, ja: &str, en: &str, responses: Json| {
        json!({"operationId": id, "tags": ["service"], "summary": en,
        "x-label": {"ja": ja, "en": en}, "responses": responses})
    };
    json!({
        "get": entry("session_show", "ログイン中の利用者", "Who am I?", answer(shown)),
        "post": session_entry("log_in", "ログイン", "Log in", &["user", "password"], &["code", "bearer"]),
        "delete": entry("log_out", "ログアウト", "Log out", answer(json!({"type": "object"})))
    })
}

/// A route that takes secrets and answers with a session.
fn session_entry(id: &str, ja: &str, en: &str, required: &[&str], optional: &[&str]) -> Json {
    let text = json!({"type": "string"});
    let sort = |name: &str| match name {
        "bearer" => json!({"type": "boolean"}),
        "credential" => json!({"type": "object", "description": "As `PublicKeyCredential.toJSON()` gives it / ブラウザーの応答"}),
        _ => json!({"type": "string"}),
    };
    let fields: Map<String, Json> = required.iter().chain(optional).map(|name| ((*name).to_owned(), sort(name))).collect();
    let told = json!({"type": "object", "properties": {"user": text, "ends": text, "token": text,
        "recovery_codes": {"type": "array", "items": text}, "secret": text, "uri": text, "address": text,
        "options": {"type": "object", "description": "For `navigator.credentials` / ブラウザーへの要求"}}});
    json!({
        "operationId": id, "tags": ["service"], "summary": en, "x-label": {"ja": ja, "en": en},
        "requestBody": {"required": true, "content": {"application/json": {"schema":
            {"type": "object", "required": required, "properties": fields}}}},
        "responses": {
            "200": {"description": "A session, as a cookie or as a token / セッション（クッキーまたはトークン）",
                "content": {"application/json": {"schema": told}}},
            "default": {"$ref": "#/components/responses/Problem"}
        }
    })
}

/// `run list` → `RunList`.
fn pascal(name: &str) -> String {
    name.split([' ', '-', '_'])
        .map(|word| {
            let mut letters = word.chars();
            letters.next().map(|first| first.to_ascii_uppercase().to_string() + letters.as_str()).unwrap_or_default()
        })
        .collect()
}

/// The shared schemas.
#[derive(Default)]
struct Components {
    schemas: BTreeMap<String, Json>,
    /// What stood in `$defs` under a name, to see whether another is the same.
    originals: BTreeMap<String, Json>,
}

impl Components {
    fn insert(&mut self, name: &str, schema: Json) {
        // Names of roots are taken, too: a definition of the same name is another thing.
        self.originals.entry(name.to_owned()).or_insert(Json::Null);
        self.schemas.insert(name.to_owned(), schema);
    }

    /// Puts a root schema under a name and its `$defs` beside it; gives the reference to it.
    fn hoist(&mut self, name: &str, root: &Json) -> String {
        let names = self.hoist_defs(name, root);
        let name = if self.schemas.contains_key(name) { format!("{name}Root") } else { name.to_owned() };
        let mut body = root.clone();
        if let Some(map) = body.as_object_mut() {
            map.remove("$defs");
            map.remove("$schema");
        }
        // A schema that refers to itself by `#` means its own component.
        rename(&mut body, &names, &name);
        self.insert(&name, body);
        format!("#/components/schemas/{name}")
    }

    /// Hoists the `$defs` of a schema; gives the new name of each.
    fn hoist_defs(&mut self, owner: &str, root: &Json) -> BTreeMap<String, String> {
        let Some(defs) = root.get("$defs").and_then(Json::as_object) else { return BTreeMap::new() };
        // When one name means two things, the later one gets its owner's prefix, and with it every
        // definition that leads to it, so that no reference can reach the other meaning.
        let clashes = |name: &str, def: &Json| self.originals.get(&plain(name)).is_some_and(|other| other != def);
        let mut apart: BTreeSet<&str> =
            defs.iter().filter(|(name, def)| clashes(name, def)).map(|(name, _)| name.as_str()).collect();
        loop {
            let leads = |def: &Json| apart.iter().any(|name| refers_to(def, name));
            let more: Vec<&str> = defs
                .iter()
                .filter(|(name, def)| !apart.contains(name.as_str()) && leads(def))
                .map(|(name, _)| name.as_str())
                .collect();
            if more.is_empty() {
                break;
            }
            apart.extend(more);
        }
        let target = |name: &String| if apart.contains(name.as_str()) { format!("{owner}{}", plain(name)) } else { plain(name) };
        let names: BTreeMap<String, String> = defs.keys().map(|name| (name.clone(), target(name))).collect();
        for (name, def) in defs {
            let Some(target) = names.get(name) else { continue };
            self.originals.insert(target.clone(), def.clone());
            let mut def = def.clone();
            rename(&mut def, &names, owner);
            self.insert(target, def);
        }
        names
    }

    /// Query parameters of an input.
    fn parameters(&mut self, name: &str, root: &Json) -> Json {
        let owner = format!("{name}Input");
        let names = self.hoist_defs(&owner, root);
        let fields = schema::fields(root);
        let properties = root.get("properties").and_then(Json::as_object);
        let parameter = |field: &schema::Field| {
            let mut property = properties.and_then(|all| all.get(&field.name)).cloned().unwrap_or(Json::Bool(true));
            rename(&mut property, &names, &owner);
            let mut out = json!({"name": field.name, "in": "query", "required": field.required});
            let Some(map) = out.as_object_mut() else { return out };
            if let Some(about) = &field.about {
                let both = if about.ja == about.en { about.en.clone() } else { format!("{}\n\n{}", about.en, about.ja) };
                map.insert("description".into(), json!(both));
            }
            if matches!(field.shape, schema::Shape::Object | schema::Shape::Any) {
                map.insert("content".into(), json!({"application/json": {"schema": property}}));
            } else {
                map.insert("schema".into(), property);
            }
            out
        };
        fields.iter().map(parameter).collect()
    }
}

/// Does a schema refer to a definition of this name?
fn refers_to(schema: &Json, name: &str) -> bool {
    match schema {
        Json::Array(items) => items.iter().any(|item| refers_to(item, name)),
        Json::Object(map) => {
            let target = map.get("$ref").and_then(Json::as_str).and_then(|target| target.strip_prefix("#/$defs/"));
            target.is_some_and(|target| unescape(target) == name) || map.values().any(|value| refers_to(value, name))
        }
        _ => false,
    }
}

/// A name out of a JSON pointer.
fn unescape(name: &str) -> String {
    name.replace("~1", "/").replace("~0", "~")
}

/// A name that OpenAPI allows for a component.
fn plain(name: &str) -> String {
    name.chars().map(|c| if c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_') { c } else { '_' }).collect()
}

/// Points every `$ref` into `$defs` at the hoisted component.
fn rename(schema: &mut Json, names: &BTreeMap<String, String>, owner: &str) {
    match schema {
        Json::Array(items) => items.iter_mut().for_each(|item| rename(item, names, owner)),
        Json::Object(map) => {
            if let Some(Json::String(target)) = map.get_mut("$ref") {
                if target == "#" {
                    *target = format!("#/components/schemas/{owner}");
                } else if let Some(def) = target.strip_prefix("#/$defs/")
                    && let Some(name) = names.get(&unescape(def))
                {
                    *target = format!("#/components/schemas/{name}");
                }
            }
            map.values_mut().for_each(|value| rename(value, names, owner));
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every `$ref` of a document leads somewhere.
    fn check_references(document: &Json, at: &Json) {
        match at {
            Json::Array(items) => items.iter().for_each(|item| check_references(document, item)),
            Json::Object(map) => {
                if let Some(target) = map.get("$ref").and_then(Json::as_str) {
                    let path = target.strip_prefix('#').unwrap();
                    assert!(document.pointer(path).is_some(), "{target} leads nowhere");
                    assert!(!target.contains("$defs"), "{target} was not hoisted");
                }
                map.values().for_each(|value| check_references(document, value));
            }
            _ => {}
        }
    }

    #[test]
    fn definitions_are_shared_when_equal_and_kept_apart_when_not() {
        let mut components = Components::default();
        let first = json!({"properties": {"a": {"$ref": "#/$defs/Text"}, "b": {"$ref": "#/$defs/Wrap"}},
            "$defs": {"Text": {"type": "object"}, "Wrap": {"items": {"$ref": "#/$defs/Text"}}}});
        let second = json!({"properties": {"b": {"$ref": "#/$defs/Wrap"}},
            "$defs": {"Text": {"type": "string"}, "Wrap": {"items": {"$ref": "#/$defs/Text"}}, "Alone": {"type": "null"}}});
        components.hoist("First", &first);
        components.hoist("Again", &first);
        components.hoist("Second", &second);
        let names: Vec<&str> = components.schemas.keys().map(String::as_str).collect();
        assert_eq!(names, ["Again", "Alone", "First", "Second", "SecondText", "SecondWrap", "Text", "Wrap"]);
        assert_eq!(components.schemas["SecondWrap"], json!({"items": {"$ref": "#/components/schemas/SecondText"}}));
        assert_eq!(components.schemas["Wrap"], json!({"items": {"$ref": "#/components/schemas/Text"}}));
    }

    #[test]
    fn a_schema_that_refers_to_its_root_refers_to_its_component() {
        let mut components = Components::default();
        components.hoist("Tree", &json!({"properties": {"child": {"$ref": "#"}}}));
        assert_eq!(components.schemas["Tree"]["properties"]["child"]["$ref"], "#/components/schemas/Tree");
    }

    #[test]
    fn the_document_of_the_registry_is_whole_and_stable() {
        let operations = toji_ops::operations();
        let document = document(operations);
        check_references(&document, &document);
        for operation in operations {
            let (noun, verb) = operation.noun_verb();
            let item = &document["paths"][format!("{BASE}/{noun}/{verb}")];
            assert_eq!(item["post"]["x-label"]["ja"], operation.label.ja, "{}", operation.name);
            assert_eq!(item.get("get").is_some(), operation.effect == Effect::Read, "{}", operation.name);
        }
        assert_eq!(text(operations), text(operations));
        assert!(document["components"]["schemas"]["Job"].is_object());
    }

    #[test]
    fn names_of_components_are_allowed_by_openapi() {
        assert_eq!(pascal("run list"), "RunList");
        assert_eq!(pascal("foo-bar do_it"), "FooBarDoIt");
        assert_eq!(plain("Page<Run>"), "Page_Run_");
    }
}
