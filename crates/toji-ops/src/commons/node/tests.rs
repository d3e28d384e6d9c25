//! What another node says, when it is mistaken or lies: a company's node that takes over a mirror, and parcels.

use super::inflow::data_of;
use super::mirror::{apply, to_deliver};
use super::parcel::{Package, Piece, Sent, written};
use super::take::{missing, run_of};
use crate::commons::Standing;
use crate::operation::Context;
use crate::progress::Progress;
use crate::session::{Options, Session};
use serde_json::{Value as Json, json};
use std::sync::Arc;
use toji_commons::agreement::{Agreement, sign};
use toji_commons::log::{KeyKind, SigningKey};
use toji_core::record::FieldMap;
use toji_core::{Access, Belongs, Id, Instant, Resource};

const NOW: Instant = Instant(1_800_000_000_000_000_000);

fn id(text: &str) -> Id {
    Id::parse(text).unwrap()
}

fn fields(json: Json) -> FieldMap {
    json.as_object().unwrap().clone()
}

/// The node of ORG-A, with its own key and a run of its own.
struct Node {
    session: Arc<Session>,
    own: SigningKey,
    _dir: tempfile::TempDir,
}

fn key(name: &str, seed: u8) -> SigningKey {
    SigningKey::from_seed(name, KeyKind::Log, &[seed; 32]).unwrap()
}

impl Node {
    async fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let session = Session::init(&dir.path().join("store"), Options::default()).await.unwrap();
        let node = Self { session, own: key("ORG-A", 1), _dir: dir };
        node.op("record put", json!({"kind": "organisation", "id": "ORG-A", "fields": {"name": "A", "country": "JP"}})).await;
        node.op("commons found", json!({"organisation": "ORG-A", "country": "JP"})).await;
        node.op("commons key", json!({"organisation": "ORG-A", "key": node.own.verifier().to_string()})).await;
        node.op("record put", json!({"kind": "run", "id": "RUN-OWN", "fields": {"title": "自社の培養", "key": "k"}})).await;
        node
    }
    fn context(&self) -> Context {
        self.session.context(Progress::silent(), NOW)
    }
    async fn op(&self, name: &str, input: Json) -> Json {
        let done = crate::operation(name).unwrap().run(self.context(), input).await;
        done.unwrap_or_else(|e| panic!("{name}: {e:?}")).json
    }
    async fn standing(&self) -> Arc<Standing> {
        Standing::of(&self.session, NOW).await.unwrap().unwrap()
    }
    /// Takes over what the platform says; what was left out, in English.
    async fn told(&self, sent: Vec<Sent>) -> Vec<String> {
        let applied = apply(&self.context(), &*self.standing().await, &id("HOUSE"), "owner", sent).await.unwrap();
        applied.left_out.into_iter().map(|t| t.en).collect()
    }
    async fn field(&self, kind: &str, name: &str, field: &str) -> Json {
        let record = self.session.store.record(&Access::owner(), kind, name, None).await;
        record.map_or(Json::Null, |r| r.fields.get(field).cloned().unwrap_or_default())
    }
    /// May a person of ORG-A's own node, or nobody at all, read this run?
    async fn guest_reads(&self, run: &str) -> bool {
        let access = self.session.access_of(None, None, NOW).await.unwrap();
        self.session.store.record(&access, "run", run, None).await.is_ok()
    }
}

fn sent(kind: &str, name: &str, json: Json) -> Sent {
    let kind_version = toji_core::KindSet::builtin().unwrap().get(kind).unwrap().version;
    Sent { kind: kind.into(), id: id(name), kind_version, fields: fields(json) }
}

fn member(name: &str, key: &SigningKey) -> Sent {
    sent(
        "membership",
        name,
        json!({"organisation": name, "state": "approved", "country": "JP", "reason": "member", "applied_at": NOW.to_string(),
            "applied_by": "x", "listing": "clear", "joined": "2020-01-01T00:00:00Z", "key": key.verifier().to_string()}),
    )
}

fn data_set(name: &str, owner: &str, area: &str, runs: &[&str]) -> Sent {
    sent("data-set", name, json!({"title": name, "owner": owner, "area": area, "runs": runs, "shared_at": NOW.to_string()}))
}

/// An agreement of ORG-A with ORG-B about a data set, signed by some keys.
fn agreement(data_sets: &[&str], signers: &[&SigningKey]) -> Sent {
    let text = "What people sign.";
    let json = json!({
        "id": "AG-1", "version": 1, "text": toji_core::Digest::of(text.as_bytes()).to_string(), "parties": ["ORG-A", "ORG-B"],
        "data_sets": data_sets,
        "terms": {"from": "2020-01-01T00:00:00Z", "until": "2090-01-01T00:00:00Z", "purposes": ["research"], "grants": ["read", "export"],
            "industrial_use": "forbidden", "patents": {"patents": "free"}, "early_access": [], "countries": null, "feedback": null},
    });
    let terms: Agreement = serde_json::from_value(json).unwrap();
    let mut note = terms.note().unwrap();
    signers.iter().for_each(|key| sign(&mut note, key).unwrap());
    let document = if signers.is_empty() { note.text().to_owned() } else { note.to_string() };
    sent(
        "agreement",
        "AG-1",
        json!({"title": "AG-1", "state": "signed", "number": 1, "parties": ["ORG-A", "ORG-B"], "data_sets": data_sets,
            "from": "2020-01-01T00:00:00Z", "until": "2090-01-01T00:00:00Z", "note": document, "text": text,
            "signed_by": signers.iter().map(|k| k.verifier().name()).collect::<Vec<_>>(),
            "drafted_at": NOW.to_string(), "drafted_by": "x"}),
    )
}

#[tokio::test(flavor = "multi_thread")]
async fn a_platform_cannot_put_words_into_the_houses_mouth() {
    let node = Node::new().await;
    let (forged, b) = (key("ORG-A", 9), key("ORG-B", 2));
    // Another key for the house, and an agreement signed with it.
    node.told(vec![member("ORG-A", &forged), member("ORG-B", &b), agreement(&["DS-OWN"], &[&forged, &b])]).await;
    assert_eq!(node.field("membership", "ORG-A", "key").await, json!(node.own.verifier().to_string()));
    assert_eq!(node.field("agreement", "AG-1", "state").await, "draft", "ORG-A has not signed it");
    assert_eq!(node.field("agreement", "AG-1", "signed_by").await, json!(["ORG-B"]));
    assert!(node.standing().await.commons.known_agreement(&id("AG-1")).is_none());
    // Signed by nobody, and said to be signed by all.
    let mut unsigned = agreement(&["DS-OWN"], &[]);
    unsigned.fields.insert("signed_by".into(), json!(["ORG-A", "ORG-B"]));
    let left = node.told(vec![unsigned]).await;
    assert_eq!(left, ["agreement AG-1: its document is not readable"]);
    // Text that is not what was signed.
    let mut other = agreement(&["DS-OWN"], &[&b]);
    other.fields.insert("text".into(), json!("Something else."));
    assert_eq!(node.told(vec![other]).await, ["agreement AG-1: text or terms do not fit its document"]);
    // What the house signed at home stays signed while the platform has not heard of it, and is delivered.
    node.told(vec![agreement(&["DS-B"], &[&b])]).await;
    let file = node.session.store.dir().join("own.key");
    std::fs::write(&file, crate::commons::agreement::key_file("ORG-A", &[1; 32])).unwrap();
    node.op("commons sign", json!({"id": "AG-1", "organisation": "ORG-A", "key_file": file})).await;
    let there = vec![agreement(&["DS-B"], &[&b])];
    node.told(there.clone()).await;
    assert_eq!(node.field("agreement", "AG-1", "state").await, "signed");
    let deliver = to_deliver(&node.context(), &*node.standing().await, &there).await.unwrap();
    assert_eq!(deliver.len(), 1);
    let both = agreement(&["DS-B"], &[&b, &node.own]);
    assert!(to_deliver(&node.context(), &*node.standing().await, &[both]).await.unwrap().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_data_set_of_others_holds_nothing_of_the_house() {
    let node = Node::new().await;
    assert!(!node.guest_reads("RUN-OWN").await);
    // One of the house itself is not taken over; one of ORG-B that names the run of the house does not hold it.
    let (stolen, wide) =
        (data_set("DS-OWN", "ORG-A", "public", &["RUN-OWN"]), data_set("DS-B", "ORG-B", "public", &["RUN-OWN", "RUN-LATER"]));
    let left = node.told(vec![stolen, wide]).await;
    assert!(left.is_empty(), "{left:?}");
    assert_eq!(node.field("data-set", "DS-OWN", "title").await, Json::Null);
    assert_eq!(node.field("data-set", "DS-B", "title").await, "DS-B");
    assert!(!node.guest_reads("RUN-OWN").await, "its own run stays closed");
    node.op("record put", json!({"kind": "run", "id": "RUN-LATER", "fields": {"title": "later", "key": "k"}})).await;
    assert!(!node.guest_reads("RUN-LATER").await, "one that is made later, too");
    // What is ORG-B's own in it is open, as ORG-B said.
    let into = data_of("ORG-B", "owner");
    let put = toji_store::Put::new("run", id("RUN-B"), fields(json!({"title": "B", "key": "k"})));
    let commit = toji_store::Commit { operation: "test".into(), puts: vec![put], ..toji_store::Commit::default() };
    node.session.store.commit(&into, NOW, commit).await.unwrap();
    node.told(vec![data_set("DS-B", "ORG-B", "public", &["RUN-OWN", "RUN-B"])]).await;
    assert!(node.guest_reads("RUN-B").await && !node.guest_reads("RUN-OWN").await);
    let place = Resource::Record { kind: "run", id: "RUN-B", of: Belongs { owner: Some("ORG-B"), ..Belongs::default() } };
    use toji_commons::decide::{Place, Places as _};
    assert_eq!(node.standing().await.place(place), Place::DataSet(id("DS-B")));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_here_is_not_replaced_and_what_does_not_fit_is_named() {
    let node = Node::new().await;
    // The house entered a partner by hand: the platform's word does not change it.
    node.op("record put", json!({"kind": "organisation", "id": "ORG-B", "fields": {"name": "B", "country": "JP"}})).await;
    node.op("commons apply", json!({"organisation": "ORG-B", "country": "JP", "reason": "partner"})).await;
    let left = node.told(vec![member("ORG-B", &key("ORG-B", 2))]).await;
    assert_eq!(left, ["membership ORG-B: a record of this identifier is here"]);
    assert_eq!(node.field("membership", "ORG-B", "state").await, "applied");
    // Kinds that do not come over, records that do not fit, entries that would spoil the account.
    let user = sent("user", "eve", json!({"state": "active", "commons_roles": ["steward"], "organisation": "ORG-A"}));
    let bad = sent("data-set", "DS-X", json!({"title": "no area", "owner": "ORG-B"}));
    let entry = sent("account-entry", "E-1", json!({"transaction": {"nonsense": true}}));
    let left = node.told(vec![user, bad, entry]).await;
    assert_eq!(left.len(), 3, "{left:?}");
    assert_eq!(node.field("user", "eve", "state").await, Json::Null);
    node.op("commons account", json!({})).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_package_replaces_no_run_of_anybody_else_and_is_whole() {
    let node = Node::new().await;
    let store = &node.session.store;
    let (context, reader) = (node.context(), Access::owner());
    let package = async |run: &str, records: &[(&str, &str, Json)]| -> Package {
        let records: Vec<toji_core::Record> = records
            .iter()
            .map(|(kind, name, json)| toji_core::Record {
                kind: (*kind).into(),
                id: id(name),
                version: 1,
                kind_version: toji_core::KindSet::builtin().unwrap().get(kind).unwrap().version,
                fields: fields(json.clone()),
                retired: false,
                owner: None,
            })
            .collect();
        let (address, bytes) = store.keep(written(&records).unwrap()).await.unwrap();
        let records = Piece { address: address.to_string(), bytes: bytes.len() as u64, points: 0, name: None };
        Package { run: run.into(), stamp: "s".into(), records, series: vec![], files: vec![], left_out: vec![] }
    };
    let into = data_of("ORG-B", "owner");
    let run = async |package: &Package| run_of(&context, "test", &into, &reader, package).await;
    // The house's own run, under its name.
    let stolen = package("RUN-OWN", &[("run", "RUN-OWN", json!({"title": "altered", "key": "k"}))]).await;
    assert!(run(&stolen).await.is_err());
    assert_eq!(node.field("run", "RUN-OWN", "title").await, "自社の培養");
    // An event of the house's run, smuggled in with another.
    let event = json!({"run": "RUN-OWN", "sort": "note", "label": "smuggled"});
    let smuggled = package("RUN-B", &[("run", "RUN-B", json!({"title": "B", "key": "k"})), ("event", "EV-1", event)]).await;
    assert_eq!(run(&smuggled).await.unwrap_err().code(), "E-NODE-006");
    assert_eq!(node.field("run", "RUN-B", "title").await, Json::Null, "nothing of it is kept");
    // No run at all; a series of a channel that is not there.
    assert_eq!(run(&package("RUN-B", &[]).await).await.unwrap_err().code(), "E-NODE-006");
    let mut series = package("RUN-B", &[("run", "RUN-B", json!({"title": "B", "key": "k"}))]).await;
    series.series.push(series.records.clone());
    assert_eq!(run(&series).await.unwrap_err().code(), "E-SERIES-012");
    // Sound, and the same again.
    let sound = package(
        "RUN-B",
        &[
            ("run", "RUN-B", json!({"title": "B", "key": "k"})),
            ("event", "EV-B", json!({"run": "RUN-B", "sort": "note", "label": "泡"})),
        ],
    )
    .await;
    assert_eq!(run(&sound).await.unwrap().records, 2);
    let seq = store.seq(&Access::owner()).await.unwrap();
    run(&sound).await.unwrap();
    assert_eq!(store.seq(&Access::owner()).await.unwrap(), seq, "doing it twice changes nothing");
    // Knowing an address is not having the file.
    let stranger = toji_core::Access { who: toji_core::Principal { id: "x".into(), organisation: None }, ..into.clone() };
    assert_eq!(missing(&context, &stranger, sound.pieces()).await.unwrap().len(), 1);
    assert!(missing(&context, &reader, sound.pieces()).await.unwrap().is_empty());
}
