//! What goes from node to node: a data set as a plan and one package a run, all of it files by address.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use toji_core::record::FieldMap;
use toji_core::{Digest, Error, Id, Place, Record, Result};

/// Form of a parcel.
pub(super) const FORMAT: &str = "toji-parcel v1";

/// Kinds whose records go with data sets.
pub(super) const CARRIED: [&str; 13] = [
    "run",
    "channel",
    "sample",
    "assay",
    "event",
    "observation",
    "decision",
    "strain",
    "vessel",
    "file",
    "genome",
    "deposit",
    "protocol",
];

/// Records of one file of records, at most.
const RECORDS_MAX: usize = 2_000_000;

/// A file by its address.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Piece {
    /// Address, `sha256:…`.
    ///
    /// 内容アドレス（`sha256:…`）。
    pub(super) address: String,
    /// Size in bytes.
    ///
    /// 大きさ（バイト）。
    pub(super) bytes: u64,
    /// Points in it, for series.
    ///
    /// 点の数（系列の場合）。
    #[serde(default)]
    pub(super) points: u64,
    /// Name, for files as they came.
    ///
    /// 名前（取り込んだファイルの場合）。
    #[serde(default)]
    pub(super) name: Option<String>,
}

impl Piece {
    pub(super) fn digest(&self) -> Result<Digest> {
        Digest::parse(&self.address).map_err(|e| e.at(Place::field("address")))
    }
}

/// A run of a data set, and how it is now.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Stamped {
    /// Run.
    ///
    /// 培養。
    pub(super) run: String,
    /// Fingerprint of its records and series; another one means that something changed.
    ///
    /// 記録と系列の指紋。変われば内容が変わっている。
    pub(super) stamp: String,
}

/// A data set: what it is, and its runs, each of which goes by itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Plan {
    /// Form.
    ///
    /// 形式。
    pub(super) format: String,
    /// Organisation of the node that sends it.
    ///
    /// 送るノードの組織。
    pub(super) house: String,
    /// Owner of the data set.
    ///
    /// データセットの所有者。
    pub(super) owner: String,
    /// Data set.
    ///
    /// データセット。
    pub(super) data_set: String,
    /// Its record, and what else it holds beside runs.
    ///
    /// データセット自体と、培養以外の記録。
    pub(super) records: Piece,
    /// Files these records name.
    ///
    /// それらの記録が指すファイル。
    pub(super) files: Vec<Piece>,
    /// Runs.
    ///
    /// 培養。
    pub(super) runs: Vec<Stamped>,
    /// Records that did not come along, since they belong to others or may not leave.
    ///
    /// 他者のもの、または持ち出せないため含めなかった記録。
    pub(super) left_out: Vec<String>,
}

/// A run with everything that belongs to it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Package {
    /// Run.
    ///
    /// 培養。
    pub(super) run: String,
    /// Fingerprint.
    ///
    /// 指紋。
    pub(super) stamp: String,
    /// Its records.
    ///
    /// 記録。
    pub(super) records: Piece,
    /// Its series.
    ///
    /// 系列。
    pub(super) series: Vec<Piece>,
    /// Files as they came.
    ///
    /// 取り込んだファイル。
    pub(super) files: Vec<Piece>,
    /// Records that did not come along.
    ///
    /// 含めなかった記録。
    pub(super) left_out: Vec<String>,
}

impl Package {
    /// Everything that has to be there.
    pub(super) fn pieces(&self) -> impl Iterator<Item = &Piece> {
        std::iter::once(&self.records).chain(&self.series).chain(&self.files)
    }
    pub(super) fn bytes(&self) -> u64 {
        self.pieces().map(|p| p.bytes).sum()
    }
    pub(super) fn points(&self) -> u64 {
        self.series.iter().map(|p| p.points).sum()
    }
}

impl Plan {
    /// Everything that has to be there beside the runs.
    pub(super) fn pieces(&self) -> impl Iterator<Item = &Piece> {
        std::iter::once(&self.records).chain(&self.files)
    }
    /// # Errors
    /// `E-NODE-002` a form that this Toji does not know.
    pub(super) fn known(&self) -> Result<()> {
        if self.format == FORMAT {
            return Ok(());
        }
        Err(Error::input(
            "E-NODE-002",
            format!("荷の形式「{}」は扱えません", self.format),
            format!("parcels of form \"{}\" are not known", self.format),
        )
        .at(Place::field("format"))
        .hint("両方の Toji を同じ版にしてください", "bring both nodes to the same version of Toji"))
    }
}

/// A record on its way. Its owner is that of the data set.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Sent {
    pub(super) kind: String,
    pub(super) id: Id,
    pub(super) kind_version: u32,
    pub(super) fields: FieldMap,
}

impl Sent {
    pub(super) fn of(record: &Record) -> Self {
        let Record { kind, id, kind_version, fields, .. } = record.clone();
        Self { kind, id, kind_version, fields }
    }
}

/// Records as a file: the same records give the same bytes.
pub(super) fn written(records: &[Record]) -> Result<Vec<u8>> {
    let mut sent: BTreeMap<(&str, &str), Sent> = BTreeMap::new();
    for record in records {
        sent.insert((&record.kind, record.id.as_str()), Sent::of(record));
    }
    let sent: Vec<&Sent> = sent.values().collect();
    toji_core::canonical::to_canonical(&sent).map(String::into_bytes)
}

/// Records of a file that came from elsewhere.
///
/// # Errors
/// `E-NODE-003` it is no such file, or holds kinds that do not go from node to node.
pub(super) fn read(bytes: &[u8]) -> Result<Vec<Sent>> {
    let unreadable = |ja: String, en: String| {
        Error::input(
            "E-NODE-003",
            format!("荷の記録を読めません: {ja}"),
            format!("the records of the parcel are not readable: {en}"),
        )
        .hint("送り直してもらってください", "have it sent again")
    };
    let sent: Vec<Sent> = serde_json::from_slice(bytes).map_err(|e| unreadable(e.to_string(), e.to_string()))?;
    if sent.len() > RECORDS_MAX {
        return Err(unreadable(format!("{} 件", sent.len()), format!("{} of them", sent.len())));
    }
    let carried = |kind: &str| CARRIED.contains(&kind) || kind == "data-set";
    match sent.iter().find(|s| !carried(&s.kind)) {
        Some(other) => Err(unreadable(
            format!("種別 {} は送れません", other.kind),
            format!("kind {} does not go from node to node", other.kind),
        )),
        None => Ok(sent),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::json;

    fn record(kind: &str, id: &str, fields: serde_json::Value) -> Record {
        let fields = fields.as_object().cloned().unwrap_or_default().into_iter().collect();
        Record { kind: kind.into(), id: Id::parse(id).unwrap(), version: 3, kind_version: 1, fields, retired: false, owner: None }
    }

    #[test]
    fn records_go_and_come_in_one_order_whatever_order_they_had() {
        let (a, b) = (record("run", "RUN-1", json!({"title": "麹"})), record("channel", "CH-1", json!({"run": "RUN-1"})));
        let bytes = written(&[a.clone(), b.clone()]).unwrap();
        assert_eq!(bytes, written(&[b.clone(), a.clone(), b.clone()]).unwrap());
        assert_eq!(read(&bytes).unwrap(), [Sent::of(&b), Sent::of(&a)]);
    }

    #[test]
    fn what_is_no_record_of_data_does_not_come_in() {
        for kind in ["user", "membership", "agreement", "account-entry", "organisation", "export-approval", "unheard-of"] {
            let bytes = written(&[record(kind, "X-1", json!({}))]).unwrap();
            assert_eq!(read(&bytes).unwrap_err().code(), "E-NODE-003", "{kind}");
        }
    }

    proptest! {
        #[test]
        fn nothing_that_comes_in_panics(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            let _ = read(&bytes);
        }
    }
}
