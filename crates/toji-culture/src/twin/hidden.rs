//! What is hidden: how far the truth lies from what the model declares.

use serde::{Deserialize, Serialize};

/// A constant whose true value differs from the declared one by a factor, log-normally.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Spread {
    /// Constant of the model.
    ///
    /// モデルの定数。
    pub constant: String,
    /// Standard deviation of the logarithm of the factor: 0.1 is about 10 %.
    ///
    /// 倍率の対数の標準偏差。0.1 でおよそ 10 %。
    pub share: f64,
}

/// A profile whose values wander in time around the declared ones, log-normally with a memory from knot to knot.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Wander {
    /// Profile of the model.
    ///
    /// モデルのプロファイル。
    pub profile: String,
    /// Standard deviation of the logarithm of the factor.
    ///
    /// 倍率の対数の標準偏差。
    pub share: f64,
    /// Correlation between neighbouring knots, 0 to 1.
    ///
    /// 隣り合う節点の相関（0〜1）。
    pub memory: f64,
}

/// How a quantity is measured.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Sensor {
    /// Quantity of the model.
    ///
    /// モデルの量。
    pub quantity: String,
    /// Standard deviation as a share of the value.
    ///
    /// 値に対する標準偏差の割合。
    pub share: f64,
    /// Least standard deviation, in the unit of the quantity.
    ///
    /// 標準偏差の下限（量の単位）。
    pub least: f64,
}

/// Everything that is hidden.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Hidden {
    /// How this plant differs from the model, in all its runs.
    ///
    /// この設備がモデルと違う点。すべての培養に共通。
    #[serde(default)]
    pub plant: Vec<Spread>,
    /// How its reactors differ from each other.
    ///
    /// 槽ごとの違い。
    #[serde(default)]
    pub reactor: Vec<Spread>,
    /// How runs differ.
    ///
    /// 培養ごとの違い。
    #[serde(default)]
    pub run: Vec<Spread>,
    /// What wanders during a run.
    ///
    /// 培養中に揺らぐもの。
    #[serde(default)]
    pub wander: Vec<Wander>,
    /// How what is looked at is measured; what is not named is measured exactly.
    ///
    /// 測定の誤差。名前のない量は正確に測れるものとする。
    #[serde(default)]
    pub sensors: Vec<Sensor>,
}
