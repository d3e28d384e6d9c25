//! What a cascade is told by.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use toji_core::Quantity;

/// A compound in the vessel.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "CellFreeSpecies")]
pub struct Species {
    /// Identifier, unique in the cascade.
    ///
    /// 識別子。カスケードの中で一意。
    pub id: String,
    /// Elemental formula as it is at the charge given, e.g. `C3H3O3`.
    ///
    /// 記載した電荷での元素組成。例: `C3H3O3`。
    pub formula: String,
    /// Charge in elementary charges.
    ///
    /// 電荷（電気素量単位）。
    #[serde(default)]
    pub charge: i32,
    /// Concentration at the start, e.g. mmol/L or g/L.
    ///
    /// 開始時の濃度（mmol/L、g/L など）。
    pub start: Quantity,
    /// Is it held where it is, as water and protons of a buffer are? It then changes no rate and counts in the balances only.
    ///
    /// 濃度を一定とみなすか（水、緩衝液のプロトンなど）。一定の成分は収支にだけ数える。
    #[serde(default)]
    pub held: bool,
}

/// An enzyme.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "CellFreeEnzyme")]
pub struct Enzyme {
    /// Identifier, unique among the enzymes.
    ///
    /// 識別子。酵素の中で一意。
    pub id: String,
    /// Active enzyme at the start, g/L or µmol/L.
    ///
    /// 開始時の活性型酵素の量（g/L または µmol/L）。
    pub loading: Quantity,
    /// Molar mass of what carries one active site, g/mol. Needed for loadings by mass, specific activities and budgets of protein.
    ///
    /// 活性部位一つあたりのモル質量（g/mol）。質量での添加量、比活性、総タンパク量の指定に必要。
    #[serde(default)]
    pub molar_mass: Option<Quantity>,
    /// First-order inactivation, e.g. 0.02 /h; none: it keeps its activity.
    ///
    /// 一次の失活速度定数（例: 0.02 /h）。省略時は失活しない。
    #[serde(default)]
    pub inactivation: Option<Quantity>,
}

/// A substrate and the product that takes its place on the enzyme.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "CellFreePair")]
pub struct Pair {
    /// Substrate.
    ///
    /// 基質。
    pub substrate: String,
    /// Its Michaelis constant.
    ///
    /// 基質のミカエリス定数。
    pub km_substrate: Quantity,
    /// Product.
    ///
    /// 生成物。
    pub product: String,
    /// Its Michaelis constant.
    ///
    /// 生成物のミカエリス定数。
    pub km_product: Quantity,
}

/// How fast a reaction goes. `kcat` is a turnover number (1/s) or a specific activity (µmol/min/mg). Rates of reversible
/// laws vanish exactly where the compounds of the law stand at the equilibrium constant (the Haldane relation is built in:
/// the backward rate constant is never typed).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, tag = "kind", rename_all = "kebab-case")]
#[schemars(rename = "CellFreeLaw")]
pub enum Law {
    /// Without enzyme: `k·(∏ s^n − ∏ p^m / Keq)` over the compounds that are not held.
    ///
    /// 質量作用（酵素なし）。一定でない成分について計算する。
    MassAction {
        /// Rate constant of the order of the reaction, e.g. /h or L/mmol/h.
        ///
        /// 反応次数に応じた速度定数（例: /h、L/mmol/h）。
        constant: Quantity,
        /// Equilibrium constant over the compounds that are not held; none: it does not go back.
        ///
        /// 一定でない成分についての平衡定数。省略時は不可逆。
        #[serde(default)]
        equilibrium: Option<Quantity>,
    },
    /// `kcat·E·s / (Km + s)`.
    ///
    /// 不可逆のミカエリス・メンテン式。
    MichaelisMenten {
        /// Enzyme.
        ///
        /// 酵素。
        enzyme: String,
        /// Turnover number or specific activity.
        ///
        /// 代謝回転数または比活性。
        kcat: Quantity,
        /// Substrate that saturates the enzyme.
        ///
        /// 酵素を飽和する基質。
        substrate: String,
        /// Michaelis constant.
        ///
        /// ミカエリス定数。
        km: Quantity,
    },
    /// Reversible Michaelis-Menten kinetics of one or more pairs, each on a site of its own:
    /// `kcat·E·∏(1/Ks)·(∏ s − ∏ p / Keq) / ∏(1 + s/Ks + p/Kp)` (as Teusink et al., Eur. J. Biochem. 267, 2000, 5313–5329).
    ///
    /// 可逆のミカエリス・メンテン式。基質と生成物の組ごとに結合部位がある。
    Reversible {
        /// Enzyme.
        ///
        /// 酵素。
        enzyme: String,
        /// Forward turnover number or specific activity.
        ///
        /// 正反応の代謝回転数または比活性。
        kcat: Quantity,
        /// Pairs.
        ///
        /// 基質と生成物の組。
        pairs: Vec<Pair>,
        /// Equilibrium constant over the compounds of the pairs.
        ///
        /// 組の成分についての平衡定数。
        equilibrium: Quantity,
    },
    /// Convenience kinetics (Liebermeister and Klipp, Theor. Biol. Med. Model. 3, 2006, 41); without equilibrium constant
    /// irreversible, products named still bind.
    ///
    /// 簡便速度式（convenience kinetics）。平衡定数を省くと不可逆になり、挙げた生成物は結合だけする。
    Convenience {
        /// Enzyme.
        ///
        /// 酵素。
        enzyme: String,
        /// Forward turnover number or specific activity.
        ///
        /// 正反応の代謝回転数または比活性。
        kcat: Quantity,
        /// Michaelis constants of the substrates and products that count.
        ///
        /// 速度に効く基質・生成物のミカエリス定数。
        km: BTreeMap<String, Quantity>,
        /// Equilibrium constant over the compounds with a Michaelis constant; none: it does not go back.
        ///
        /// ミカエリス定数をもつ成分についての平衡定数。省略時は不可逆。
        #[serde(default)]
        equilibrium: Option<Quantity>,
    },
    /// Ordered bi-bi with A, B on and P, Q off (Cleland, Biochim. Biophys. Acta 67, 1963, 104–137; Segel, Enzyme Kinetics,
    /// 1975, chapter IX).
    ///
    /// 順序 bi-bi 機構。A・B の順に結合し、P・Q の順に解離する。
    OrderedBiBi {
        /// Enzyme.
        ///
        /// 酵素。
        enzyme: String,
        /// Forward turnover number or specific activity.
        ///
        /// 正反応の代謝回転数または比活性。
        kcat: Quantity,
        /// A, B, P and Q: first and second to bind, first and second to leave.
        ///
        /// A・B・P・Q（結合順の基質二つ、解離順の生成物二つ）。
        order: [String; 4],
        /// Michaelis constants of A, B, P and Q.
        ///
        /// A・B・P・Q のミカエリス定数。
        km: [Quantity; 4],
        /// Inhibition (dissociation) constants of A, B, P and Q.
        ///
        /// A・B・P・Q の阻害（解離）定数。
        ki: [Quantity; 4],
        /// Equilibrium constant.
        ///
        /// 平衡定数。
        equilibrium: Quantity,
    },
}

/// Where an inhibitor binds. With the denominator of the law written `1 + rest`, 1 being the free enzyme:
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
#[schemars(rename = "CellFreeInhibitionKind")]
pub enum InhibitionKind {
    /// The free enzyme: `1 + i/Ki + rest`.
    ///
    /// 拮抗阻害：遊離酵素に結合する。
    Competitive,
    /// Enzyme that holds substrate or product: `1 + rest·(1 + i/Ki)`; with a substrate as inhibitor, substrate inhibition.
    ///
    /// 不拮抗阻害：基質や生成物を結合した酵素に結合する。阻害剤が基質なら基質阻害になる。
    Uncompetitive,
    /// Both alike: `(1 + rest)·(1 + i/Ki)`.
    ///
    /// 非拮抗阻害：どちらにも等しく結合する。
    Noncompetitive,
}

/// An inhibition.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "CellFreeInhibition")]
pub struct Inhibition {
    /// Inhibitor; may be a substrate or product.
    ///
    /// 阻害剤。基質や生成物でもよい。
    pub by: String,
    /// Inhibition constant.
    ///
    /// 阻害定数。
    pub ki: Quantity,
    /// Where it binds.
    ///
    /// 阻害の型。
    pub kind: InhibitionKind,
}

/// A reaction.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "CellFreeReaction")]
pub struct Reaction {
    /// Identifier, unique among the reactions.
    ///
    /// 識別子。反応の中で一意。
    pub id: String,
    /// Species and coefficient: negative is consumed. Water and protons belong here too.
    ///
    /// 成分と量論係数（負は消費）。水とプロトンも含める。
    pub stoichiometry: BTreeMap<String, f64>,
    /// Rate law.
    ///
    /// 速度式。
    pub law: Law,
    /// Inhibitions beyond what the law has.
    ///
    /// 速度式に含まれない阻害。
    #[serde(default)]
    pub inhibitions: Vec<Inhibition>,
}

/// A stream into the vessel.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "CellFreeFeed")]
pub struct Feed {
    /// When it begins.
    ///
    /// 開始時刻。
    pub from: Quantity,
    /// When it ends.
    ///
    /// 終了時刻。
    pub until: Quantity,
    /// Flow, e.g. mL/h.
    ///
    /// 流量（例: mL/h）。
    pub flow: Quantity,
    /// Concentrations in it.
    ///
    /// 流入液の濃度。
    pub content: BTreeMap<String, Quantity>,
}

/// A cofactor that is made ready again.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "CellFreeCofactor")]
pub struct Cofactor {
    /// What it is called.
    ///
    /// 名前。
    pub name: String,
    /// Its forms, e.g. NAD and NADH.
    ///
    /// その形（例: NAD と NADH）。
    pub forms: Vec<String>,
}

/// A cascade of enzymes in a vessel.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Cascade {
    /// Compounds.
    ///
    /// 成分。
    pub species: Vec<Species>,
    /// Enzymes.
    ///
    /// 酵素。
    pub enzymes: Vec<Enzyme>,
    /// Reactions.
    ///
    /// 反応。
    pub reactions: Vec<Reaction>,
    /// Compound whose conversion counts.
    ///
    /// 転化率を数える基質。
    pub substrate: String,
    /// Compound that is made.
    ///
    /// 生成物。
    pub product: String,
    /// Greatest product from one substrate, mol/mol, by the stoichiometry; 1 where not given.
    ///
    /// 量論上、基質 1 mol から得られる生成物の最大量（mol/mol）。省略時は 1。
    #[serde(default = "one")]
    pub greatest_yield: f64,
    /// Cofactors whose turnover counts.
    ///
    /// 回転数を数える補因子。
    #[serde(default)]
    pub cofactors: Vec<Cofactor>,
    /// Volume at the start; 1 L where not given.
    ///
    /// 開始時の液量。省略時は 1 L。
    #[serde(default)]
    pub volume: Option<Quantity>,
    /// Feeds.
    ///
    /// 流加。
    #[serde(default)]
    pub feeds: Vec<Feed>,
}

/// What is asked of a simulation.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "CellFreeTask")]
pub struct Task {
    /// How long.
    ///
    /// 反応時間。
    pub until: Quantity,
    /// Points of the course, evenly spaced, the start among them.
    ///
    /// 経過の点数（等間隔、開始点を含む）。
    #[serde(default = "points")]
    pub points: u32,
    /// Share of the greatest product whose time is told.
    ///
    /// 到達時刻を求める、最大生成量に対する割合。
    #[serde(default = "target")]
    pub target: f64,
    /// Error of a step, relative.
    ///
    /// 一段の相対誤差。
    #[serde(default = "tolerance")]
    pub tolerance: f64,
}

fn one() -> f64 {
    1.0
}
fn points() -> u32 {
    101
}
fn target() -> f64 {
    0.95
}
fn tolerance() -> f64 {
    1e-9
}
