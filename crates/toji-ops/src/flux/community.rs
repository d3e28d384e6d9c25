//! `flux community`: members that share a medium and grow together.

use super::dfba::growth_reaction;
use super::fba::named;
use super::source::load_field;
use super::{FLUX_UNIT, Status, apart, name_of, number};
use crate::operation::{Context, Effect, Operation, Words};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value as Json;
use std::collections::BTreeMap;
use toji_core::{Diagnostic, Error, Place, Result};
use toji_flux::analyse::{self, Member, Pool};
use toji_flux::lp::Outcome;
use toji_flux::model::Scenario;

/// Most members.
const MEMBERS_MAX: usize = 100;

/// A member.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "FluxMember")]
struct Given {
    /// Its model, by path or address.
    ///
    /// 代謝モデル（場所またはアドレス）。
    model: String,
    /// Name of the member; the model's identifier when missing.
    ///
    /// 構成員の名前。省略時はモデルの識別子。
    #[serde(default)]
    name: Option<String>,
    /// Growth reaction; the objective when missing.
    ///
    /// 増殖の反応。省略時は目的の反応。
    #[serde(default)]
    growth: Option<String>,
    /// Share of the community's mass.
    ///
    /// 群集の質量に占める割合。
    #[serde(default)]
    abundance: Option<f64>,
    /// Genes or reactions taken out.
    ///
    /// 欠失させる遺伝子または反応。
    #[serde(default)]
    knock_out: Vec<String>,
}

/// Input of `flux community`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "FluxCommunityGiven")]
struct Input {
    /// Members. With the abundance of all, the fastest growth at these shares; with none, over all shares.
    ///
    /// 構成員。すべての割合を与えるとその割合で、与えなければあらゆる割合のうちで最速の増殖を求める。
    members: Vec<Given>,
    /// What is supplied from outside: exchange reaction and greatest supply, mmol per gram of community and hour. Members share
    /// what they exchange under the same identifier.
    ///
    /// 外から供給するもの。交換反応と最大供給速度（群集 1 g、1 時間あたり mmol）。同じ識別子の交換反応は共有の培地につながる。
    supply: BTreeMap<String, Json>,
    /// Greatest uptake of a member of anything in the shared medium, mmol/g/h.
    ///
    /// 構成員が共有の培地から取り込む速度の上限（mmol/g/h）。
    #[serde(default = "open")]
    uptake_max: f64,
    /// Least share of each member, where shares are sought.
    ///
    /// 割合を求めるときの、各構成員の最小の割合。
    #[serde(default)]
    least_share: f64,
    /// Growth that is too fast for any community, 1/h.
    ///
    /// どの群集にも速すぎる増殖（1/h）。
    #[serde(default = "fast")]
    growth_max: f64,
}

fn open() -> f64 {
    1000.0
}
fn fast() -> f64 {
    10.0
}

/// What a member does.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "FluxMemberDoes")]
struct Does {
    /// Name.
    name: String,
    /// Share of the community's mass.
    abundance: f64,
    /// Fluxes per gram of the member.
    fluxes: BTreeMap<String, f64>,
}

/// What passes between members.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "FluxPassed")]
struct Passed {
    /// Exchange reaction.
    exchange: String,
    /// Who gives.
    from: String,
    /// Who takes.
    to_member: String,
    /// Flux per gram of community.
    flux: f64,
}

/// Output of `flux community`.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "FluxCommunity")]
struct Grown {
    /// Can the community live?
    status: Status,
    /// Growth that all members share, 1/h.
    growth_per_h: Option<f64>,
    /// Members.
    members: Vec<Does>,
    /// What passes between them.
    passed: Vec<Passed>,
    /// Supply (above zero) or removal of each metabolite, per gram of community.
    supply: BTreeMap<String, f64>,
    /// Unit of the fluxes, UCUM.
    flux_unit: String,
    /// Linear programmes that had to be solved.
    programmes: usize,
    /// What to look at in the models.
    findings: Vec<Diagnostic>,
}

pub(super) fn operation() -> Operation {
    Operation::declare(
        Words {
            name: "flux community",
            label: ["微生物群集", "Communities"],
            about: [
                "培地を共有する複数の代謝モデルが同じ速さで増殖するときの、最速の増殖と、構成員ごとの流束・割合、互いに受け渡す代謝物を求めます。割合を与えることも（cFBA）、求めることも（SteadyCom）できます。",
                "Finds the fastest growth of several models that share a medium and grow at one rate, with the fluxes and shares of the members and what they pass to each other; at given shares (cFBA) or over all shares (SteadyCom).",
            ],
            positional: &[],
            example: "toji flux community --members @members.json --supply @supply.json",
        },
        Effect::Read,
        grow,
    )
    .long()
}

async fn grow(context: Context, input: Input) -> Result<Grown> {
    let shares = input.members.iter().filter(|m| m.abundance.is_some()).count();
    if !(1..=MEMBERS_MAX).contains(&input.members.len()) || (shares != 0 && shares != input.members.len()) {
        return Err(Error::input(
            "E-FLUX-151",
            format!("構成員は 1〜{MEMBERS_MAX}、割合はすべてに与えるか、どれにも与えません"),
            format!("use 1 to {MEMBERS_MAX} members, and give the abundance of all or of none"),
        )
        .at(Place::field("members"))
        .hint(
            "例: [{\"model\": \"a.xml\"}, {\"model\": \"b.xml\"}]",
            "example: [{\"model\": \"a.xml\"}, {\"model\": \"b.xml\"}]",
        ));
    }
    let mut loaded = Vec::new();
    for (at, member) in input.members.iter().enumerate() {
        loaded.push(load_field(&context, &member.model, &format!("members[{at}].model")).await?);
    }
    apart(move || {
        let mut ids: Vec<String> = Vec::new();
        let (mut scenarios, mut networks, mut growths, mut exchanges) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
        for (given, loaded) in input.members.iter().zip(&loaded) {
            let mut scenario = Scenario::new(loaded.model());
            for name in &given.knock_out {
                let gene = loaded.model().gene(name).is_some();
                if gene { scenario.knock_out_gene(name) } else { scenario.knock_out_reaction(name) }
                    .map_err(|e| e.at(Place::field("members")))?;
            }
            let mut leads = Vec::new();
            for j in loaded.model().exchanges() {
                let id = name_of(&scenario, j);
                let place = ids.iter().position(|known| *known == id).unwrap_or_else(|| {
                    ids.push(id.clone());
                    ids.len() - 1
                });
                let (lower, upper) = scenario.bounds_set(j);
                let up = loaded.model().reactions[j].stoichiometry.iter().all(|t| t.1 > 0.0);
                let (lower, upper) = if up { (lower, input.uptake_max) } else { (-input.uptake_max, upper) };
                scenario.set_bounds(&id, lower, upper).map_err(|e| e.at(Place::field("uptake_max")))?;
                leads.push((j, place));
            }
            networks.push(scenario.network()?);
            growths.push(growth_reaction(given.growth.as_ref(), &scenario)?);
            exchanges.push(leads);
            scenarios.push(scenario);
        }
        let mut pool = vec![Pool { supply: 0.0, removal: 1e6 }; ids.len()];
        for (id, given) in &input.supply {
            let field = format!("supply.{id}");
            let Some(place) = ids.iter().position(|known| known == id) else {
                return Err(Error::not_found(
                    "E-FLUX-152",
                    format!("どの構成員にも交換反応 {id} はありません"),
                    format!("no member has an exchange reaction {id}"),
                )
                .at(Place::field(field))
                .hint(
                    "`toji flux check` の uptake_limits に交換反応が並びます",
                    "`toji flux check` lists exchanges under uptake_limits",
                ));
            };
            pool[place].supply = number(given, &field)?;
        }
        let members: Vec<Member<'_>> = networks
            .iter()
            .zip(&growths)
            .zip(&exchanges)
            .map(|((network, growth), leads)| Member { network, growth: *growth, exchanges: leads })
            .collect();
        let abundances: Vec<f64> = input.members.iter().filter_map(|m| m.abundance).collect();
        let found = match abundances.is_empty() {
            true => analyse::fastest_community(&members, &pool, input.least_share, input.growth_max)?,
            false => analyse::community(&members, &pool, &abundances)?,
        };
        let name = |at: usize| {
            let given = input.members.get(at).and_then(|m| m.name.clone());
            given.unwrap_or_else(|| loaded.get(at).map_or_else(String::new, |l| l.model().id.clone()))
        };
        let mut answer = Grown {
            status: Status::Optimal,
            growth_per_h: None,
            members: Vec::new(),
            passed: Vec::new(),
            supply: BTreeMap::new(),
            flux_unit: FLUX_UNIT.into(),
            programmes: 0,
            findings: loaded.iter().flat_map(|l| l.reading().findings.iter().cloned()).collect(),
        };
        match found {
            Ok(found) => {
                answer.growth_per_h = Some(found.growth);
                answer.programmes = found.programmes;
                for (at, (scenario, fluxes)) in scenarios.iter().zip(&found.fluxes).enumerate() {
                    let abundance = found.abundances.get(at).copied().unwrap_or_default();
                    answer.members.push(Does { name: name(at), abundance, fluxes: named(scenario, fluxes) });
                }
                let id = |at: usize| ids.get(at).cloned().unwrap_or_default();
                let passed = found.passed.iter();
                answer.passed = passed
                    .map(|&(what, from, to, flux)| Passed { exchange: id(what), from: name(from), to_member: name(to), flux })
                    .collect();
                let moved = found.supply.iter().enumerate().filter(|(_, v)| v.abs() > 1e-12);
                answer.supply = moved.map(|(at, v)| (id(at), *v)).collect();
            }
            Err(Outcome::Unbounded(_)) => answer.status = Status::Unbounded,
            Err(_) => answer.status = Status::Infeasible,
        }
        Ok(answer)
    })
    .await
}
