//! What to simulate: reactors, their recipes, disturbances and faults. All of it can be read from JSON.

use crate::control::Loop;
use crate::fault::Fault;
use crate::operator::OperatorConfig;
use crate::organism::OrganismName;
use crate::vessel::Scale;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use toji_core::{Error, Instant, Place, Result};

/// A plant.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PlantConfig {
    /// Name, e.g. `hall-2`; whoever stores or sends data says beside it that they are simulated.
    pub name: String,
    /// When simulated time begins.
    pub start: Instant,
    /// The reactors.
    pub reactors: Vec<ReactorConfig>,
}

impl PlantConfig {
    /// Some reactors of one scale with the standard recipe, named `R01` …, `BATCH-01` …
    #[must_use]
    pub fn parallel(name: &str, start: Instant, scale: Scale, reactors: usize) -> Self {
        let reactors =
            (1..=reactors).map(|n| ReactorConfig::new(&format!("R{n:02}"), &format!("{name}-{n:02}"), scale)).collect();
        Self { name: name.to_owned(), start, reactors }
    }
}

/// A reactor and what is cultivated in it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ReactorConfig {
    /// Name of the vessel, unique in the plant.
    ///
    /// 槽の名前。プラントの中で重複しないもの。
    pub name: String,
    /// Name of the batch.
    ///
    /// バッチの名前。
    pub batch: String,
    /// Which vessel.
    ///
    /// 槽の規模。
    pub scale: Scale,
    /// Which organism.
    ///
    /// 生物。
    #[serde(default)]
    pub organism: OrganismName,
    /// What is done.
    ///
    /// レシピ。
    #[serde(default)]
    pub recipe: Recipe,
    /// What goes wrong with the instruments.
    ///
    /// 計器の故障。
    #[serde(default)]
    pub faults: Vec<Fault>,
    /// Further faults by chance, mean number a day; the seed decides which and when.
    ///
    /// さらに偶然に起こる故障（一日あたりの平均回数）。種類と時刻は乱数の種で決まる。
    #[serde(default)]
    pub faults_per_day: f64,
    /// The person at the tank, if any.
    ///
    /// 槽の操作者。いる場合。
    #[serde(default)]
    pub operator: Option<OperatorConfig>,
}

impl ReactorConfig {
    /// *E. coli* in a fed-batch without faults.
    #[must_use]
    pub fn new(name: &str, batch: &str, scale: Scale) -> Self {
        Self {
            name: name.to_owned(),
            batch: batch.to_owned(),
            scale,
            organism: OrganismName::EColi,
            recipe: Recipe::default(),
            faults: Vec::new(),
            faults_per_day: 0.0,
            operator: None,
        }
    }
}

/// What is done in a reactor. Hours count from the start of the plant.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Recipe {
    /// When the inoculum is added, h. Before, the medium is brought to its set-points.
    ///
    /// 植菌の時刻（h）。それまでに培地を設定値に合わせる。
    pub inoculate_at_h: f64,
    /// When the batch ends, h: feed and loops stop.
    ///
    /// バッチの終わり（h）：流加と制御の停止。
    pub stop_at_h: f64,
    /// Dry biomass after inoculation, g/L.
    ///
    /// 植菌後の乾燥菌体濃度（g/L）。
    pub biomass_g_per_l: f64,
    /// Glucose of the medium, g/L.
    ///
    /// 培地のグルコース（g/L）。
    pub glucose_g_per_l: f64,
    /// Glucose of the feed, g/L.
    ///
    /// 流加液のグルコース（g/L）。
    pub feed_glucose_g_per_l: f64,
    /// Feeding.
    ///
    /// 流加。
    pub feed: FeedPlan,
    /// Set-point of pH.
    ///
    /// pH の設定値。
    pub ph: f64,
    /// Set-point of the temperature, °C.
    ///
    /// 温度の設定値（°C）。
    pub temperature_c: f64,
    /// Set-point of dissolved oxygen, % of air saturation.
    ///
    /// 溶存酸素の設定値（空気飽和に対する %）。
    pub dissolved_oxygen_percent: f64,
    /// Does the oxygen cascade drive stirrer, gas flow and oxygen? Else the stirrer keeps its set-point.
    ///
    /// 溶存酸素のカスケードで撹拌・通気・酸素を動かすか。動かさなければ撹拌は設定値のまま。
    pub cascade: bool,
    /// Stirrer, share of its range between lowest and highest speed: start of the cascade, or set-point.
    ///
    /// 撹拌速度（最低〜最高の範囲に対する割合）：カスケードの開始値、または設定値。
    pub agitation_share: f64,
    /// Samples are taken this often, h; 0 for none.
    ///
    /// 試料を採る間隔（h）。0 なら採らない。
    pub sample_every_h: f64,
    /// Planned changes of set-points.
    ///
    /// 設定値の計画変更。
    pub set_points: Vec<SetPointChange>,
    /// Disturbances from outside.
    ///
    /// 外乱。
    pub disturbances: Vec<Disturbance>,
}

impl Default for Recipe {
    fn default() -> Self {
        Self {
            inoculate_at_h: 0.5,
            stop_at_h: 24.0,
            biomass_g_per_l: 0.2,
            glucose_g_per_l: 15.0,
            feed_glucose_g_per_l: 500.0,
            feed: FeedPlan::Exponential { growth_rate_per_h: 0.15, start: FeedStart::OxygenRise },
            ph: 7.0,
            temperature_c: 37.0,
            dissolved_oxygen_percent: 30.0,
            cascade: true,
            agitation_share: 0.1,
            sample_every_h: 2.0,
            set_points: Vec::new(),
            disturbances: Vec::new(),
        }
    }
}

impl Recipe {
    /// Hours after which nothing is planned any more: longer than anything cultivated.
    const NEVER_H: f64 = 10_000.0;

    /// Medium in, loops on, and then nothing by itself: inoculation, feed and end wait for commands. The feed
    /// keeps the profile of the standard recipe, to be switched on.
    #[must_use]
    pub fn waiting() -> Self {
        let start = FeedStart::Hour { h: Self::NEVER_H };
        Self {
            inoculate_at_h: Self::NEVER_H,
            stop_at_h: Self::NEVER_H,
            feed: FeedPlan::Exponential { growth_rate_per_h: 0.15, start },
            sample_every_h: 0.0,
            ..Self::default()
        }
    }
}

/// How a reactor is fed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", tag = "profile")]
pub enum FeedPlan {
    /// A batch.
    ///
    /// 流加なし（回分培養）。
    None,
    /// At a constant rate, mL per hour and litre of start volume.
    ///
    /// 定速の流加。開始液量 1 L・1 h あたりの mL。
    Constant {
        /// Rate, mL/(L·h).
        ///
        /// 流加速度（mL/(L·h)）。
        rate_ml_per_l_h: f64,
        /// When it begins.
        ///
        /// 流加の開始。
        start: FeedStart,
    },
    /// Growing with the culture: `F = F0·exp(µ t)`.
    ///
    /// 増殖に合わせた指数流加：`F = F0·exp(µ t)`。
    Exponential {
        /// Growth rate to hold, 1/h.
        ///
        /// 保つ比増殖速度（1/h）。
        growth_rate_per_h: f64,
        /// When it begins.
        ///
        /// 流加の開始。
        start: FeedStart,
    },
    /// In steps: from each time on at its rate, until the next.
    ///
    /// 段階的な流加：各時刻から次の段までその速度。
    Steps {
        /// Steps in the order of their times; before the first there is no feed.
        ///
        /// 段（時刻の順）。最初の段までは流加なし。
        steps: Vec<FeedStep>,
    },
}

/// A step of a feed profile.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct FeedStep {
    /// From when, h from the start of the plant.
    ///
    /// 開始（プラントの開始からの h）。
    pub from_h: f64,
    /// Rate, mL per hour and litre of start volume.
    ///
    /// 流加速度（mL/(L·h)）。
    pub rate_ml_per_l_h: f64,
}

impl FeedPlan {
    /// Most steps of a profile.
    pub const STEPS_MAX: usize = 1000;

    fn check(&self) -> Result<()> {
        match self {
            Self::None => Ok(()),
            Self::Constant { rate_ml_per_l_h, .. } => within("rate_ml_per_l_h", *rate_ml_per_l_h, 0.0, 60.0),
            Self::Exponential { growth_rate_per_h, .. } => within("growth_rate_per_h", *growth_rate_per_h, 0.0, 2.0),
            Self::Steps { steps } => {
                if steps.is_empty() || steps.len() > Self::STEPS_MAX {
                    let max = Self::STEPS_MAX;
                    return Err(fault(
                        "steps",
                        format!("流加の段は 1〜{max} 段です: {}", steps.len()),
                        format!("a feed has 1 to {max} steps, not {}", steps.len()),
                    ));
                }
                for step in steps {
                    within("steps.from_h", step.from_h, 0.0, 10_000.0)?;
                    within("steps.rate_ml_per_l_h", step.rate_ml_per_l_h, 0.0, 60.0)?;
                }
                match steps.windows(2).find(|pair| matches!(pair, [a, b] if a.from_h >= b.from_h)) {
                    Some([a, b]) => Err(fault(
                        "steps.from_h",
                        format!("流加の段は時刻の順に書きます: {} h の後に {} h", a.from_h, b.from_h),
                        format!("the steps of a feed stand in the order of their times: {} h after {} h", b.from_h, a.from_h),
                    )),
                    _ => Ok(()),
                }
            }
        }
    }
}

/// When a feed begins.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", tag = "at")]
pub enum FeedStart {
    /// At this time, h.
    ///
    /// 指定の時刻（h）。
    Hour {
        /// Hours from the start of the plant.
        ///
        /// プラントの開始からの時間（h）。
        h: f64,
    },
    /// When the demand for oxygen falls steeply (the probe rises, or the cascade slows the stirrer): the
    /// glucose of the medium is used up.
    ///
    /// 酸素の要求が急に落ちたとき（溶存酸素の上昇、またはカスケードによる撹拌の低下）：培地のグルコースの枯渇。
    OxygenRise,
}

/// A planned change of a set-point.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct SetPointChange {
    /// When, h from the start of the plant.
    ///
    /// 時刻（プラントの開始からの h）。
    pub at_h: f64,
    /// Which loop.
    ///
    /// 制御ループ。
    #[serde(rename = "loop")]
    pub of: Loop,
    /// New value in the loop's unit.
    ///
    /// 新しい設定値（ループの単位）。
    pub value: f64,
}

/// Something from outside that the loops must stand.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Disturbance {
    /// When, h from the start of the plant.
    ///
    /// 時刻（プラントの開始からの h）。
    pub at_h: f64,
    /// How long, h; pulses ignore it.
    ///
    /// 続く長さ（h）。瞬時の投入では無視。
    #[serde(default)]
    pub for_h: f64,
    /// What.
    #[serde(flatten)]
    pub kind: DisturbanceKind,
}

/// Sort of a disturbance.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", tag = "disturbance")]
pub enum DisturbanceKind {
    /// Strong acid is poured in, mmol per litre of broth.
    ///
    /// 強酸の投入。培養液 1 L あたりの mmol。
    AcidPulse {
        /// Amount, mmol/L.
        ///
        /// 量（mmol/L）。
        mmol_per_l: f64,
    },
    /// Glucose is poured in, g per litre of broth.
    ///
    /// グルコースの投入。培養液 1 L あたりの g。
    GlucosePulse {
        /// Amount, g/L.
        ///
        /// 量（g/L）。
        g_per_l: f64,
    },
    /// The cooling water is warmer by this.
    ///
    /// 冷却水の昇温。
    WarmCoolingWater {
        /// Difference, K.
        ///
        /// 温度差（K）。
        kelvin: f64,
    },
    /// Heat gets into the broth, W per litre (a heat exchanger, the sun).
    ///
    /// 培養液への熱の流入（熱交換器、日射）。1 L あたりの W。
    Heat {
        /// Power, W/L.
        ///
        /// 熱量（W/L）。
        w_per_l: f64,
    },
    /// Gas supply falls to this share.
    ///
    /// 通気の供給の低下。
    GasSupply {
        /// Share of what the controller asks for, 0–1.
        ///
        /// 制御器が求める量に対する割合（0〜1）。
        share: f64,
    },
    /// The stirrer turns heavily: its speed falls by this share until the drive makes up for it.
    ///
    /// 撹拌の負荷の増加：駆動装置が補うまで速度が低下。
    StirrerLoad {
        /// Share of the speed, 0–1.
        ///
        /// 速度の低下の割合（0〜1）。
        share: f64,
    },
}

fn fault(field: &str, ja: String, en: String) -> Error {
    Error::input("E-PLANT-001", ja, en)
        .at(Place::field(field))
        .hint("値の範囲は説明書の simulate を参照してください", "see the ranges in the documentation of simulate")
}

/// Refuses a number that is not finite or outside its range.
fn within(field: &str, value: f64, low: f64, high: f64) -> Result<()> {
    if value.is_finite() && (low..=high).contains(&value) {
        return Ok(());
    }
    Err(fault(
        field,
        format!("{field} は {low}〜{high} の数でなければなりません: {value}"),
        format!("{field} must be a number between {low} and {high}, not {value}"),
    ))
}

impl PlantConfig {
    /// Most reactors of a plant.
    pub const REACTORS_MAX: usize = 1000;

    pub(crate) fn check(&self) -> Result<()> {
        if self.reactors.is_empty() || self.reactors.len() > Self::REACTORS_MAX {
            let max = Self::REACTORS_MAX;
            return Err(fault(
                "reactors",
                format!("反応器は 1〜{max} 基です"),
                format!("a plant has 1 to {max} reactors, not {}", self.reactors.len()),
            ));
        }
        for (i, reactor) in self.reactors.iter().enumerate() {
            let twice = self.reactors.iter().take(i).any(|r| r.name == reactor.name);
            if reactor.name.is_empty() || twice {
                return Err(fault(
                    "reactors.name",
                    format!("反応器名「{}」が空か重複しています", reactor.name),
                    format!("the reactor name \"{}\" is empty or used twice", reactor.name),
                ));
            }
            reactor.check(self.reactors.len())?;
        }
        Ok(())
    }
}

impl ReactorConfig {
    fn check(&self, reactors: usize) -> Result<()> {
        within("faults_per_day", self.faults_per_day, 0.0, 1000.0)?;
        self.recipe.check()?;
        if let Some(operator) = &self.operator {
            operator.check()?;
        }
        self.faults.iter().try_for_each(|f| f.check(reactors))
    }
}

impl Recipe {
    fn check(&self) -> Result<()> {
        within("inoculate_at_h", self.inoculate_at_h, 0.0, 10_000.0)?;
        within("stop_at_h", self.stop_at_h, 0.0, 10_000.0)?;
        within("biomass_g_per_l", self.biomass_g_per_l, 1e-4, 100.0)?;
        within("glucose_g_per_l", self.glucose_g_per_l, 0.0, 400.0)?;
        within("feed_glucose_g_per_l", self.feed_glucose_g_per_l, 1.0, 900.0)?;
        Loop::Ph.check(self.ph)?;
        Loop::Temperature.check(self.temperature_c)?;
        Loop::DissolvedOxygen.check(self.dissolved_oxygen_percent)?;
        within("agitation_share", self.agitation_share, 0.0, 1.0)?;
        within("sample_every_h", self.sample_every_h, 0.0, 10_000.0)?;
        self.feed.check()?;
        for change in &self.set_points {
            within("set_points.at_h", change.at_h, 0.0, 10_000.0)?;
            change.of.check(change.value)?;
        }
        self.disturbances.iter().try_for_each(Disturbance::check)
    }
}

impl Disturbance {
    fn check(&self) -> Result<()> {
        within("disturbances.at_h", self.at_h, 0.0, 10_000.0)?;
        within("disturbances.for_h", self.for_h, 0.0, 10_000.0)?;
        match self.kind {
            DisturbanceKind::AcidPulse { mmol_per_l } => within("mmol_per_l", mmol_per_l, 0.0, 100.0),
            DisturbanceKind::GlucosePulse { g_per_l } => within("g_per_l", g_per_l, 0.0, 50.0),
            DisturbanceKind::WarmCoolingWater { kelvin } => within("kelvin", kelvin, -10.0, 40.0),
            DisturbanceKind::Heat { w_per_l } => within("w_per_l", w_per_l, -100.0, 100.0),
            DisturbanceKind::GasSupply { share } | DisturbanceKind::StirrerLoad { share } => within("share", share, 0.0, 1.0),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn impossible_plants_are_refused_with_the_field() {
        let start = Instant(0);
        let good = PlantConfig::parallel("P", start, Scale::L1, 2);
        assert!(good.check().is_ok());
        let check = |change: &dyn Fn(&mut PlantConfig), field: &str| {
            let mut plant = good.clone();
            change(&mut plant);
            let error = plant.check().unwrap_err();
            assert_eq!(error.fault().place.as_ref().unwrap().field.as_deref(), Some(field));
        };
        check(&|p| p.reactors.clear(), "reactors");
        check(&|p| p.reactors[1].name = "R01".into(), "reactors.name");
        check(&|p| p.reactors[0].recipe.glucose_g_per_l = f64::NAN, "glucose_g_per_l");
        check(&|p| p.reactors[0].recipe.temperature_c = 200.0, "temperature");
        check(
            &|p| {
                let kind = DisturbanceKind::GasSupply { share: 2.0 };
                p.reactors[0].recipe.disturbances.push(Disturbance { at_h: 1.0, for_h: 1.0, kind });
            },
            "share",
        );
        let steps = |of: &[(f64, f64)]| FeedPlan::Steps {
            steps: of.iter().map(|(from_h, rate)| FeedStep { from_h: *from_h, rate_ml_per_l_h: *rate }).collect(),
        };
        assert!(steps(&[(0.0, 0.0), (4.0, 60.0)]).check().is_ok());
        for (bad, field) in [
            (steps(&[]), "steps"),
            (steps(&[(1.0, 61.0)]), "steps.rate_ml_per_l_h"),
            (steps(&[(f64::NAN, 5.0)]), "steps.from_h"),
            (steps(&[(4.0, 5.0), (4.0, 6.0)]), "steps.from_h"),
            (steps(&[(4.0, 5.0), (3.0, 6.0)]), "steps.from_h"),
        ] {
            check(&|p| p.reactors[1].recipe.feed = bad.clone(), field);
        }
    }

    #[test]
    fn a_plant_is_read_from_json() {
        let text = r#"{"name":"P","start":"2026-10-05T00:00:00Z","reactors":[{"name":"R1","batch":"B","scale":"1-l",
            "recipe":{"feed":{"profile":"constant","rate_ml_per_l_h":5.0,"start":{"at":"hour","h":6.0}},
            "disturbances":[{"at_h":2.0,"disturbance":"acid-pulse","mmol_per_l":3.0}]}}]}"#;
        let plant: PlantConfig = serde_json::from_str(text).unwrap();
        assert!(plant.check().is_ok());
        assert_eq!(plant.reactors[0].recipe.ph, 7.0);
        let feed: FeedPlan =
            serde_json::from_str(r#"{"profile":"steps","steps":[{"from_h":6.0,"rate_ml_per_l_h":4.0}]}"#).unwrap();
        assert_eq!(feed, FeedPlan::Steps { steps: vec![FeedStep { from_h: 6.0, rate_ml_per_l_h: 4.0 }] });
    }
}
