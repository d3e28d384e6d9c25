//! How much of a model says what it is.

use crate::model::{Annotation, Model};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// How many of a kind carry references, and to which collections.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Kind {
    /// How many there are.
    pub all: usize,
    /// How many have a reference other than to the Systems Biology Ontology.
    pub annotated: usize,
    /// How many have a term of the Systems Biology Ontology.
    pub sbo: usize,
    /// How many refer to each collection.
    pub collections: BTreeMap<String, usize>,
}

/// Coverage of annotations by kind.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Coverage {
    /// Metabolites.
    pub metabolites: Kind,
    /// Reactions.
    pub reactions: Kind,
    /// Genes.
    pub genes: Kind,
}

fn kind<'a>(annotations: impl Iterator<Item = &'a Annotation>) -> Kind {
    let mut kind = Kind::default();
    for annotation in annotations {
        let collections: BTreeSet<&str> = annotation.iter().map(|r| &*r.collection).collect();
        kind.all += 1;
        kind.sbo += usize::from(collections.contains("sbo"));
        kind.annotated += usize::from(collections.iter().any(|c| *c != "sbo"));
        for collection in collections {
            *kind.collections.entry(collection.to_owned()).or_default() += 1;
        }
    }
    kind
}

/// Coverage.
pub(super) fn coverage(model: &Model) -> Coverage {
    Coverage {
        metabolites: kind(model.metabolites.iter().map(|m| &m.annotation)),
        reactions: kind(model.reactions.iter().map(|r| &r.annotation)),
        genes: kind(model.genes.iter().map(|g| &g.annotation)),
    }
}
