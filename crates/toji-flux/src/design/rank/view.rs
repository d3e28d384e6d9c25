//! What a network says about every gene for a product: the numbers that proposals are ranked by.

use super::paths::Paths;
use crate::analyse::{Growth, Removal, single_genes};
use crate::design::targets::{ScanTask, follow_levels};
use crate::design::thrift::Thrift;
use crate::lp::Outcome;
use crate::model::{Formula, Model};
use crate::network::{Network, Sense};
use toji_core::{Error, Place, Result};

/// Growth that is kept, as a share of the best, where the most product is asked for.
const KEPT: f64 = 0.1;
/// Growth below this share is none.
const LETHAL: f64 = 0.05;
/// Weight of the product beside growth, small enough not to change which growth is best.
const TILT: f64 = 1e-3;
/// Fluxes below this are none.
const STILL: f64 = 1e-7;
/// Least carbon yield of what counts as a by-product, and how many are looked at.
const RICH: f64 = 0.3;
const BYPRODUCTS: usize = 20;
/// Steps of the scan.
const STEPS: usize = 5;

/// What is grown on what, and with which goal.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize, schemars::JsonSchema)]
pub struct Aim {
    /// Name of the product, as outcomes call it.
    ///
    /// 生成物の名前。実績での呼び名。
    pub name: String,
    /// Growth reaction.
    ///
    /// 増殖の反応。
    pub growth: usize,
    /// Exchange or demand reaction of the product.
    ///
    /// 生成物の交換反応または需要反応。
    pub product: usize,
    /// Exchange reaction of the feedstock.
    ///
    /// 原料の交換反応。
    pub feed: usize,
}

/// A product that is rich in carbon and could leave instead of the one that is wanted.
#[derive(Debug, Clone, PartialEq)]
struct Byproduct {
    exchange: usize,
    /// Absolute fluxes for each unit of it.
    fluxes: Vec<f64>,
}

/// What does not depend on the product: worked out once for a host and its medium.
#[derive(Debug, Clone)]
pub struct Background {
    /// Best growth.
    pub growth: f64,
    network: Network,
    thrift: Thrift,
    wild: Vec<f64>,
    left: Vec<f64>,
    byproducts: Vec<Byproduct>,
    threads: usize,
}

/// The names of the features of a removal, in order.
pub const REMOVAL: [&str; 16] = [
    "growth lost",
    "capacity lost",
    "product coupled",
    "flux stopped",
    "falls with product",
    "rises with product",
    "serves by-products",
    "main route of a by-product",
    "drains the pathway",
    "on the pathway",
    "near the product",
    "isoenzymes remain",
    "takes electrons to by-products",
    "could run back from the product",
    "helped other products",
    "helped many products",
];

/// The names of the features of an over-expression, in order.
pub const RAISE: [&str; 11] = [
    "rises with product",
    "rises steadily",
    "on the pathway",
    "near the product",
    "must rise most",
    "only enzyme",
    "serves by-products",
    "needed for growth",
    "leads to the product alone",
    "helped other products",
    "helped many products",
];

/// The name of a feature in Japanese.
pub(super) fn japanese(name: &str) -> &str {
    match name {
        "growth lost" => "増殖が落ちる",
        "capacity lost" => "最大生産が落ちる",
        "product coupled" => "生成物が増殖に結びつく",
        "flux stopped" => "流れている流束が止まる",
        "falls with product" => "生産とともに流束が下がる",
        "rises with product" => "生産とともに流束が上がる",
        "serves by-products" => "副産物に使われる",
        "main route of a by-product" => "多くの副産物の経路にある",
        "drains the pathway" => "生産経路から引き抜く",
        "on the pathway" => "生産経路にある",
        "near the product" => "生成物に近い",
        "isoenzymes remain" => "アイソザイムが残る",
        "takes electrons to by-products" => "副産物へ電子を渡す",
        "could run back from the product" => "生成物から逆に流れうる",
        "helped other products" => "似た生成物で有効だった",
        "helped many products" => "多くの生成物で有効だった",
        "rises steadily" => "流束が単調に上がる",
        "must rise most" => "流束を大きく上げる必要がある",
        "only enzyme" => "唯一の酵素である",
        "needed for growth" => "増殖に必要である",
        "leads to the product alone" => "生成物の直前にある",
        other => other,
    }
}

/// What a network says about every gene for one product.
#[derive(Debug, Clone, PartialEq)]
pub struct Profile {
    /// Name of the product.
    pub name: String,
    /// Most product at a tenth of the best growth.
    pub most: f64,
    /// Absolute fluxes of the way to the product for each unit of it, by reaction.
    pub path: Vec<f64>,
    /// Features of the removal of each gene without those from outcomes; nothing for a gene without which growth ends.
    pub removal: Vec<Option<Vec<f64>>>,
    /// Features of the over-expression of each gene without those from outcomes; nothing for a gene that no reaction needs.
    pub raise: Vec<Option<Vec<f64>>>,
    /// Best competing flux through the reactions of each gene for a unit of by-product: the simple rule.
    pub competing: Vec<f64>,
}

fn nothing(what: (&str, &str)) -> Error {
    Error::input("E-FLUX-124", format!("{}がありません", what.0), format!("there is no {}", what.1))
        .hint("培地と目的の反応を確かめてください", "look at the medium and at the reactions that are aimed at")
}

fn optimal<T>(found: std::result::Result<T, Outcome>, what: (&str, &str)) -> Result<T> {
    found.map_err(|_| nothing(what))
}

fn aimed(network: &Network, flux: usize) -> Network {
    let mut aimed = network.clone();
    aimed.objective = vec![0.0; network.reactions()];
    aimed.objective[flux] = 1.0;
    aimed.sense = Sense::Maximize;
    aimed
}

impl Background {
    /// Looks at a host in its medium. `network` has the model's reactions first.
    ///
    /// # Errors
    /// `E-FLUX-124` when nothing grows, `E-FLUX-020` when a reaction is out of range, and those of [`crate::analyse::fba`].
    pub fn new(model: &Model, network: &Network, growth: usize, feed: usize, threads: usize) -> Result<Self> {
        if growth.max(feed) >= network.reactions() || model.reactions.len() > network.reactions() {
            return Err(Error::input("E-FLUX-020", "反応の番号が範囲外です", "a reaction number is out of range")
                .at(Place::field("growth")));
        }
        let network = aimed(network, growth);
        let mut thrift = Thrift::new(&network)?;
        let bounds = (network.lower[growth], network.upper[growth]);
        let (best, wild) = optimal(thrift.fluxes(growth, bounds)?, ("増殖", "growth"))?;
        if best <= STILL {
            return Err(nothing(("増殖", "growth")));
        }
        let genes: Vec<usize> = (0..model.genes.len()).collect();
        let how = Removal { threads, compress: true };
        let left = match single_genes(model, &network, &genes, &how)? {
            Ok(found) => found.results.iter().map(|r| r.value().unwrap_or(0.0) / best).collect(),
            Err(_) => return Err(nothing(("増殖", "growth"))),
        };
        let mut background = Self { growth: best, network, thrift, wild, left, byproducts: Vec::new(), threads };
        background.byproducts = background.find_byproducts(model, feed)?;
        Ok(background)
    }

    /// The network in which a tenth of the growth is kept.
    fn kept(&self, growth: usize, flux: usize) -> Network {
        let mut kept = aimed(&self.network, flux);
        kept.lower[growth] = kept.lower[growth].max(KEPT * self.growth);
        kept
    }

    /// Exchanges that could carry much of the feedstock's carbon away, and the ways there.
    fn find_byproducts(&self, model: &Model, feed: usize) -> Result<Vec<Byproduct>> {
        let carbon = |j: usize| -> f64 {
            let formula = model.reactions.get(j).and_then(|r| r.stoichiometry.first());
            let formula = formula.and_then(|t| model.metabolites[t.0].formula.as_deref());
            formula.and_then(|f| Formula::parse(f).ok()).and_then(|f| f.atoms.get("C").copied()).unwrap_or(0.0)
        };
        let growth = (0..self.network.reactions()).find(|&j| self.network.objective[j] != 0.0).unwrap_or(0);
        let network = &self.network;
        let given = 0.0 - network.lower[feed];
        let mut thrift = self.keeping(growth);
        let mut found: Vec<(f64, usize)> = Vec::new();
        for j in model.exchanges() {
            let atoms = carbon(j);
            // What is fed, and what could be, is no by-product.
            if j == feed || atoms < 1.0 || network.lower[j] < 0.0 || network.upper[j] <= 0.0 {
                continue;
            }
            if let Ok(most) = thrift.most(j)? {
                let share = most * atoms / (given * carbon(feed)).max(STILL);
                if share >= RICH {
                    found.push((share, j));
                }
            }
        }
        found.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1)));
        found.truncate(BYPRODUCTS);
        let mut list = Vec::new();
        for (_, exchange) in found {
            if let Ok((amount, fluxes)) = thrift.fluxes(exchange, (network.lower[exchange], network.upper[exchange]))? {
                list.push(Byproduct { exchange, fluxes: fluxes.iter().map(|v| v / amount).collect() });
            }
        }
        Ok(list)
    }

    /// The network as it is asked again and again, with a tenth of the growth kept.
    fn keeping(&self, growth: usize) -> Thrift {
        let mut thrift = self.thrift.clone();
        thrift.bound(growth, self.network.lower[growth].max(KEPT * self.growth), self.network.upper[growth]);
        thrift
    }

    /// What the network says about every gene for a product.
    ///
    /// # Errors
    /// `E-FLUX-124` when none of the product can be made, and those of [`Background::new`].
    pub fn profile(&self, model: &Model, aim: &Aim) -> Result<Profile> {
        if aim.growth.max(aim.product) >= self.network.reactions() {
            return Err(Error::input("E-FLUX-020", "反応の番号が範囲外です", "a reaction number is out of range")
                .at(Place::field("product")));
        }
        let kept = self.kept(aim.growth, aim.product);
        let bounds = (self.network.lower[aim.product], self.network.upper[aim.product]);
        let (most, way) = optimal(self.keeping(aim.growth).fluxes(aim.product, bounds)?, ("生成物", "product"))?;
        if most <= STILL {
            return Err(nothing(("生成物", "product")));
        }
        let task =
            ScanTask { growth: aim.growth, product: aim.product, steps: STEPS, reach: 0.9, ranges: false, threads: self.threads };
        let start = self.wild[aim.product].max(0.0);
        let levels: Vec<f64> = (0..STEPS).map(|k| start + 0.95 * (most - start) * k as f64 / (STEPS - 1) as f64).collect();
        let scanned = follow_levels(&mut self.thrift.clone(), &self.network, &task, &levels)?;
        let follows = optimal(scanned, ("生成物", "product"))?.reactions;
        let way: Vec<f64> = way.iter().map(|v| v / most).collect();
        let view = View {
            model,
            follows: &follows,
            way: &way,
            paths: Paths::new(&self.network, &way, aim.product),
            background: self,
            aim,
            most,
        };
        let genes: Vec<usize> = (0..model.genes.len()).collect();
        let how = Removal { threads: self.threads, compress: true };
        let run = |network: &Network| -> Result<Vec<Growth>> {
            Ok(single_genes(model, network, &genes, &how)?.map(|found| found.results).unwrap_or_default())
        };
        let capacity = run(&kept)?;
        let mut tilted = self.network.clone();
        tilted.objective[aim.product] -= TILT * self.growth / most;
        let coupled = run(&tilted)?;
        let value = |list: &[Growth], gene: usize| list.get(gene).and_then(|g| g.value());
        let mut profile = Profile {
            name: aim.name.clone(),
            most,
            path: way.iter().map(|v| v.abs()).collect(),
            removal: Vec::new(),
            raise: Vec::new(),
            competing: Vec::new(),
        };
        for gene in genes {
            let touched = model.reactions_of_gene(gene);
            let capacity = value(&capacity, gene).map_or(1.0, |v| (1.0 - v / most).clamp(0.0, 1.0));
            let growth = self.left[gene] * self.growth;
            let forced = value(&coupled, gene).map_or(0.0, |v| (growth - v) / (TILT * self.growth)).clamp(0.0, 1.0);
            let alive = self.left[gene] >= LETHAL && !touched.is_empty();
            profile.removal.push(alive.then(|| view.removal(gene, capacity, forced)));
            profile.raise.push((!touched.is_empty()).then(|| view.raise(gene)));
            profile.competing.push(touched.iter().map(|&j| view.competing(j)).fold(0.0, f64::max));
        }
        Ok(profile)
    }
}

/// One product while its genes are looked at.
struct View<'a> {
    model: &'a Model,
    follows: &'a [crate::design::Follow],
    way: &'a [f64],
    paths: Paths,
    background: &'a Background,
    aim: &'a Aim,
    most: f64,
}

impl View<'_> {
    /// Flux for each unit of by-product that the way to the product does not need.
    fn competing(&self, j: usize) -> f64 {
        let free = 1.0 - self.way[j].abs().min(1.0);
        let others = self.background.byproducts.iter().filter(|b| b.exchange != self.aim.product);
        free * others.map(|b| b.fluxes[j].abs().min(1.0)).fold(0.0, f64::max)
    }

    /// Share of by-products whose way uses the reaction while that of the product does not.
    fn shared(&self, j: usize) -> f64 {
        let others: Vec<_> = self.background.byproducts.iter().filter(|b| b.exchange != self.aim.product).collect();
        let used = others.iter().filter(|b| b.fluxes[j].abs() > 0.05).count();
        (1.0 - self.way[j].abs().min(1.0)) * used as f64 / others.len().max(1) as f64
    }

    /// Electrons that the reaction takes from carriers on the way to by-products.
    fn electrons(&self, j: usize) -> f64 {
        let taken: f64 = self.model.reactions[j]
            .stoichiometry
            .iter()
            .filter(|t| ["nadh", "q8h2", "mql8", "2dmmql8"].iter().any(|c| self.model.metabolites[t.0].id.starts_with(c)))
            .map(|t| 0.0 - t.1)
            .sum();
        let others = self.background.byproducts.iter().filter(|b| b.exchange != self.aim.product);
        (1.0 - self.way[j].abs().min(1.0)) * others.map(|b| (taken * b.fluxes[j]).clamp(0.0, 1.0)).fold(0.0, f64::max)
    }

    /// How near to the product a reaction of its pathway lies that can also run the other way.
    fn back(&self, j: usize) -> f64 {
        let network = &self.background.network;
        let both = network.lower[j] < 0.0 && network.upper[j] > 0.0;
        f64::from(u8::from(both)) * (5.0 * self.way[j].abs()).min(1.0) * self.paths.near(j)
    }

    fn most_of(&self, gene: usize, of: impl Fn(usize) -> f64) -> f64 {
        self.model.reactions_of_gene(gene).iter().map(|&j| of(j)).fold(0.0, f64::max)
    }

    /// Does the gene alone stop any reaction?
    fn decides(&self, gene: usize) -> bool {
        let rule = |j: &usize| self.model.reactions[*j].gpr.as_ref().is_some_and(|gpr| !gpr.holds(&|g| g != gene));
        self.model.reactions_of_gene(gene).iter().any(rule)
    }

    fn removal(&self, gene: usize, capacity: f64, forced: f64) -> Vec<f64> {
        let feed = self.background.wild[self.aim.feed].abs().max(STILL);
        let scale = self.most / feed.max(STILL);
        vec![
            (1.0 - self.background.left[gene]).clamp(0.0, 1.0),
            capacity,
            forced,
            self.most_of(gene, |j| (self.background.wild[j].abs() / feed).min(1.0)),
            self.most_of(gene, |j| (0.0 - self.follows[j].slope * scale).clamp(0.0, 1.0)),
            self.most_of(gene, |j| (self.follows[j].slope * scale).clamp(0.0, 1.0)),
            self.most_of(gene, |j| self.competing(j)),
            self.most_of(gene, |j| self.shared(j)),
            self.most_of(gene, |j| self.paths.drains(&self.background.network, j)),
            self.most_of(gene, |j| self.way[j].abs().min(1.0)),
            self.most_of(gene, |j| self.paths.near(j)),
            f64::from(u8::from(!self.decides(gene))),
            self.most_of(gene, |j| self.electrons(j)),
            // A step of the pathway that can undo it, and that the product can do without.
            (1.0 - capacity) * self.most_of(gene, |j| self.back(j)),
        ]
    }

    fn raise(&self, gene: usize) -> Vec<f64> {
        let feed = self.background.wild[self.aim.feed].abs().max(STILL);
        let wild = |j: usize| self.background.wild[j].abs() / feed;
        let way = |j: usize| self.way[j].abs() * self.most / feed;
        vec![
            self.most_of(gene, |j| self.follows[j].slope.clamp(0.0, 1.0)),
            self.most_of(gene, |j| self.follows[j].monotony.max(0.0) * f64::from(u8::from(self.follows[j].slope > 0.01))),
            self.most_of(gene, |j| self.way[j].abs().min(1.0)),
            self.most_of(gene, |j| self.paths.near(j)),
            self.most_of(gene, |j| (way(j) - wild(j)).max(0.0) / (way(j) + wild(j)).max(STILL) * self.way[j].abs().min(1.0)),
            f64::from(u8::from(self.decides(gene))),
            self.most_of(gene, |j| self.competing(j)),
            f64::from(u8::from(self.background.left[gene] < LETHAL)),
            self.most_of(gene, |j| self.paths.near(j) * self.way[j].abs().min(1.0)),
        ]
    }
}
