//! `flux coupling`: which reactions cannot run without each other.

use super::source::load;
use super::{apart, edited, name_of, threads};
use crate::operation::{Context, Effect, Operation, Words};
use schemars::JsonSchema;
use serde::Serialize;
use std::collections::BTreeSet;
use toji_core::{Diagnostic, Place, Result};
use toji_flux::analyse;

edited! {
    /// Input of `flux coupling`.
    struct Input {
        /// Tell only of groups with these reactions; of all when none is named.
        ///
        /// この反応を含む群だけを答える。省略時はすべて。
        #[serde(default)]
        reactions: Vec<String>,
    }
}

/// Output of `flux coupling`.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "FluxCouplings")]
struct Coupled {
    /// Groups of reactions that run at a constant ratio: reaction and its flux for each unit of the first's.
    groups: Vec<Vec<(String, f64)>>,
    /// Pairs of groups (by number, from 0) that only run together, at a ratio that varies.
    partial: Vec<(usize, usize)>,
    /// Pairs of groups the first of which runs only when the second does.
    directional: Vec<(usize, usize)>,
    /// Reactions that never run.
    blocked: Vec<String>,
    /// Linear programmes that had to be solved.
    programmes: usize,
    /// What to look at in the model.
    findings: Vec<Diagnostic>,
}

pub(super) fn operation() -> Operation {
    Operation::declare(
        Words {
            name: "flux coupling",
            label: ["流束の結び付き", "Flux coupling"],
            about: [
                "反応どうしの流束の結び付きを厳密に求めます。一定の比で流れる群、互いになしでは流れない組、一方がなければ流れない組を挙げます。",
                "Finds how the fluxes of reactions depend on each other, exactly: groups that run at a constant ratio, pairs that only run together, and pairs of which one needs the other.",
            ],
            positional: &["model"],
            example: "toji flux coupling e_coli_core.xml.gz --reactions PFK",
        },
        Effect::Read,
        couple,
    )
    .long()
}

async fn couple(context: Context, input: Input) -> Result<Coupled> {
    let loaded = load(&context, &input.model).await?;
    apart(move || {
        let scenario = input.edits().over(loaded.model())?;
        let wanted = input.reactions.iter().map(|id| scenario.reaction_named(id)).collect::<Result<BTreeSet<usize>>>();
        let wanted = wanted.map_err(|e| e.at(Place::field("reactions")))?;
        let found = analyse::couplings(&scenario.network()?, threads())?;
        // Numbers of the groups told of; those named and those coupled with them.
        let named = |at: usize| found.groups.get(at).is_some_and(|group| group.iter().any(|(j, _)| wanted.contains(j)));
        let mut told: BTreeSet<usize> = (0..found.groups.len()).filter(|at| wanted.is_empty() || named(*at)).collect();
        let pairs = |list: &[(usize, usize)]| -> Vec<(usize, usize)> {
            list.iter().filter(|(a, b)| wanted.is_empty() || named(*a) || named(*b)).copied().collect()
        };
        let (partial, directional) = (pairs(&found.partial), pairs(&found.directional));
        told.extend(partial.iter().chain(&directional).flat_map(|(a, b)| [*a, *b]));
        let order: Vec<usize> = told.into_iter().collect();
        let place = |list: Vec<(usize, usize)>| -> Vec<(usize, usize)> {
            let at = |group: usize| order.binary_search(&group).unwrap_or_default();
            list.into_iter().map(|(a, b)| (at(a), at(b))).collect()
        };
        let group = |at: &usize| found.groups[*at].iter().map(|(j, ratio)| (name_of(&scenario, *j), *ratio)).collect();
        Ok(Coupled {
            groups: order.iter().map(group).collect(),
            partial: place(partial),
            directional: place(directional),
            blocked: found
                .blocked
                .iter()
                .filter(|j| wanted.is_empty() || wanted.contains(j))
                .map(|j| name_of(&scenario, *j))
                .collect(),
            programmes: found.programmes,
            findings: loaded.reading().findings.clone(),
        })
    })
    .await
}
