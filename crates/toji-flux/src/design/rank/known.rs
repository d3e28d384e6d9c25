//! What edits did in built strains.

use toji_core::{Error, Place, Result};

/// Kind of an edit of one gene.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, serde::Serialize, serde::Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum EditKind {
    /// The gene is removed.
    ///
    /// 遺伝子の欠失。
    Delete,
    /// The gene is expressed more strongly.
    ///
    /// 遺伝子の発現強化。
    Amplify,
}

/// What an edit did for a product in a strain that was built.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct KnownEdit {
    /// Name of the product.
    ///
    /// 生成物の名前。
    pub product: String,
    /// Kind of the edit.
    ///
    /// 変更の種類。
    pub kind: EditKind,
    /// Gene by the identifier of the model.
    ///
    /// 遺伝子。モデルの識別子。
    pub gene: String,
    /// Name of the gene for people.
    ///
    /// 遺伝子の通称。
    #[serde(default)]
    pub symbol: String,
    /// Whether the product rose.
    ///
    /// 生成物が増えたか。
    pub helped: bool,
    /// Where it is written: paper, or run and sample of one's own.
    ///
    /// 出典。論文、または自らの実験の記録。
    pub citation: String,
    /// Digital object identifier of the paper.
    ///
    /// 論文の DOI。
    #[serde(default)]
    pub doi: Option<String>,
}

/// Edits of *Escherichia coli* that published strains were built with for nineteen products; genes by locus of MG1655.
///
/// # Errors
/// `E-FLUX-125` when the table that is part of this crate cannot be read.
pub fn published() -> Result<Vec<KnownEdit>> {
    table(include_str!("../../../data/ecoli-edits.csv"))
}

/// Reads a table of edits that helped: `product;kind;gene;name;citation;doi` with a heading, `#` before remarks.
///
/// # Errors
/// `E-FLUX-125`, naming the line.
pub fn table(text: &str) -> Result<Vec<KnownEdit>> {
    let mut list = Vec::new();
    let lines = text.lines().enumerate().filter(|(_, line)| !line.starts_with('#') && !line.trim().is_empty());
    for (at, line) in lines.skip(1) {
        let parts: Vec<&str> = line.split(';').map(str::trim).collect();
        let kind = match parts.get(1) {
            Some(&"delete") => Some(EditKind::Delete),
            Some(&"amplify") => Some(EditKind::Amplify),
            _ => None,
        };
        let (Some(kind), [product, _, gene, symbol, citation, doi]) = (kind, parts.as_slice()) else {
            return Err(Error::input(
                "E-FLUX-125",
                "行が「生成物;種類;遺伝子;通称;出典;DOI」になっていません",
                "the line is not product;kind;gene;name;citation;doi",
            )
            .at(Place::line(at as u64 + 1))
            .hint("種類は delete か amplify です", "the kind is delete or amplify"));
        };
        list.push(KnownEdit {
            product: (*product).to_owned(),
            kind,
            gene: (*gene).to_owned(),
            symbol: (*symbol).to_owned(),
            helped: true,
            citation: (*citation).to_owned(),
            doi: (!doi.is_empty()).then(|| (*doi).to_owned()),
        });
    }
    Ok(list)
}
