//! References as addresses: `https://identifiers.org/chebi/CHEBI:16001`, `urn:miriam:kegg.compound:C00031`.
//!
//! Juty et al. 2012, doi:10.1093/nar/gkr1097; compact form: Wimalaratne et al. 2018, doi:10.1038/sdata.2018.29.

use crate::model::Reference;
use std::collections::HashSet;
use std::sync::Arc;

/// The qualifier of what says nothing else.
pub(super) const IS: &str = "is";

/// The reference an address stands for. What is no address of identifiers.org is kept whole, under no collection.
pub(super) fn reference(qualifier: &Arc<str>, address: &str, words: &mut Words) -> Reference {
    let mut make =
        |collection: &str, id: &str| Reference { qualifier: qualifier.clone(), collection: words.get(collection), id: id.into() };
    let address = address.trim();
    if let Some((collection, id)) = address.strip_prefix("urn:miriam:").and_then(|rest| rest.split_once(':')) {
        return make(collection, &decoded(id));
    }
    let path =
        ["https://identifiers.org/", "http://identifiers.org/", "https://www.identifiers.org/", "http://www.identifiers.org/"]
            .iter()
            .find_map(|start| address.strip_prefix(start));
    match path.map(|p| (p.find('/'), p.find(':'), p)) {
        Some((Some(slash), colon, p)) if colon.is_none_or(|c| slash < c) && slash > 0 && slash + 1 < p.len() => {
            make(&p[..slash], &p[slash + 1..])
        }
        // Compact: a prefix in capitals belongs to the entry (`CHEBI:16001` of `chebi`).
        Some((_, Some(colon), p)) if colon > 0 && colon + 1 < p.len() => {
            let prefix = &p[..colon];
            match prefix.bytes().any(|b| b.is_ascii_uppercase()) {
                true => make(&prefix.to_ascii_lowercase(), p),
                false => make(prefix, &p[colon + 1..]),
            }
        }
        _ => make("", address),
    }
}

/// The address of a reference.
pub(super) fn address(reference: &Reference) -> String {
    match &*reference.collection {
        "" => reference.id.clone(),
        collection => format!("https://identifiers.org/{collection}/{}", reference.id),
    }
}

/// The reference to a term of the Systems Biology Ontology.
pub(super) fn sbo(term: &str, words: &mut Words) -> Reference {
    Reference { qualifier: words.get(IS), collection: words.get("sbo"), id: term.into() }
}

/// Is it an SBO term that SBML has an attribute for?
pub(super) fn is_sbo(reference: &Reference) -> bool {
    &*reference.collection == "sbo"
        && reference.id.strip_prefix("SBO:").is_some_and(|d| d.len() == 7 && d.bytes().all(|b| b.is_ascii_digit()))
}

/// `%3A` and the like in a URN.
fn decoded(text: &str) -> String {
    text.replace("%3A", ":").replace("%3a", ":")
}

/// Words that repeat, each kept once.
#[derive(Debug, Default)]
pub(super) struct Words {
    known: HashSet<Arc<str>>,
    /// The word asked for last: most come in runs.
    last: Option<Arc<str>>,
}

impl Words {
    /// The shared word.
    pub(super) fn get(&mut self, text: &str) -> Arc<str> {
        if let Some(last) = self.last.as_ref().filter(|last| ***last == *text) {
            return last.clone();
        }
        let word = match self.known.get(text) {
            Some(known) => known.clone(),
            None => {
                let new: Arc<str> = text.into();
                self.known.insert(new.clone());
                new
            }
        };
        self.last = Some(word.clone());
        word
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_of_every_form() {
        for (text, collection, id) in [
            ("https://identifiers.org/chebi/CHEBI:16001", "chebi", "CHEBI:16001"),
            ("http://identifiers.org/kegg.compound/C00031", "kegg.compound", "C00031"),
            ("https://identifiers.org/CHEBI:16001", "chebi", "CHEBI:16001"),
            ("https://identifiers.org/taxonomy:511145", "taxonomy", "511145"),
            ("urn:miriam:obo.chebi:CHEBI%3A16001", "obo.chebi", "CHEBI:16001"),
            ("http://identifiers.org/doi/10.1038/msb.2011.65", "doi", "10.1038/msb.2011.65"),
            ("http://example.org/x", "", "http://example.org/x"),
            ("https://identifiers.org/", "", "https://identifiers.org/"),
        ] {
            let mut words = Words::default();
            let is = words.get(IS);
            let found = reference(&is, text, &mut words);
            assert_eq!((&*found.collection, found.id.as_str()), (collection, id), "{text}");
            assert_eq!(reference(&is, &address(&found), &mut words), found);
        }
    }
}
