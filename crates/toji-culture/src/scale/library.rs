//! The correlations, as data beside their functions. SI units throughout.
//!
//! Van 't Riet's and the power of an impeller are held against values from elsewhere. Of the other papers one abstract was
//! seen (Royce and Thornhill); forms and constants agree with how others retell them: notes of the Handbook of Industrial
//! Mixing (Wiley 2004), a measurement that quotes them, programs. Where no retelling was found, the source says so. Ranges
//! of which the source says nothing are those commonly given.
//!
//! Left out on purpose, since their constants could not be stated with certainty: Michel and Miller's gassed power
//! (its constant depends on the units of each retelling) and the transitional part of power curves.

use super::correlation::{Correlation, Input};
use toji_core::{Error, Place, Result};

/// Acceleration of gravity, m/s².
pub const GRAVITY: f64 = 9.806_65;

const fn input(name: &'static str, label: [&'static str; 2], unit: &'static str, range: Option<(f64, f64)>) -> Input {
    Input { name, label, unit, range }
}
const fn per_volume(range: Option<(f64, f64)>) -> Input {
    input("power-per-volume", ["単位容積当たりの動力", "power per volume"], "W/m3", range)
}
const fn gas_velocity(range: Option<(f64, f64)>) -> Input {
    input("gas-velocity", ["ガス空塔速度", "superficial gas velocity"], "m/s", range)
}
const fn volume(range: Option<(f64, f64)>) -> Input {
    input("volume", ["液容積", "volume of the broth"], "m3", range)
}
const fn speed() -> Input {
    input("speed", ["撹拌速度", "speed of the stirrer"], "/s", None)
}
const fn impeller() -> Input {
    input("impeller-diameter", ["撹拌翼径", "diameter of the impeller"], "m", None)
}
const fn vessel(range: Option<(f64, f64)>) -> Input {
    input("vessel-diameter", ["槽内径", "diameter of the vessel"], "m", range)
}
const fn density() -> Input {
    input("density", ["密度", "density"], "kg/m3", None)
}
const fn ratio(range: Option<(f64, f64)>) -> Input {
    input("impeller-ratio", ["翼径/槽径", "impeller to vessel diameter"], "1", range)
}
const fn reynolds(range: Option<(f64, f64)>) -> Input {
    input("reynolds", ["撹拌レイノルズ数", "Reynolds number of the stirrer"], "1", range)
}
const fn gas_flow() -> Input {
    input("gas-flow", ["ガス流量（槽内条件）", "gas flow at the impeller"], "m3/s", None)
}
const fn power_number(range: Option<(f64, f64)>) -> Input {
    input("power-number", ["動力数", "power number"], "1", range)
}

/// kLa of coalescing broths, 1/s.
pub(crate) fn kla_coalescing(per_volume: f64, velocity: f64) -> f64 {
    0.026 * per_volume.powf(0.4) * velocity.powf(0.5)
}
/// kLa of non-coalescing broths, 1/s.
pub(crate) fn kla_non_coalescing(per_volume: f64, velocity: f64) -> f64 {
    0.002 * per_volume.powf(0.7) * velocity.powf(0.2)
}
/// Power of impellers in a broth without gas, W.
pub(crate) fn power(number: f64, density: f64, speed: f64, diameter: f64) -> f64 {
    number * density * speed.powi(3) * diameter.powi(5)
}
/// Share of the power that is left when gassed (Hughmark), for a blade as wide as D/5.
pub(crate) fn gassed_share(gas: f64, speed: f64, volume: f64, diameter: f64) -> f64 {
    let froude = speed * speed * diameter.powi(4) / (9.81 * 0.2 * diameter * volume.powf(2.0 / 3.0));
    0.10 * (speed * volume / gas).powf(0.25) * froude.powf(-0.2)
}
/// Gas flow number at which the impeller floods.
pub(crate) fn flooding(ratio: f64, froude: f64) -> f64 {
    30.0 * ratio.powf(3.5) * froude
}
/// Film coefficient inside a jacket, W/(m²·K).
pub(crate) fn film_jacket(reynolds: f64, prandtl: f64, conductivity: f64, diameter: f64) -> f64 {
    0.36 * reynolds.powf(2.0 / 3.0) * prandtl.powf(1.0 / 3.0) * conductivity / diameter
}
/// Film coefficient at a coil, W/(m²·K).
pub(crate) fn film_coil(reynolds: f64, prandtl: f64, conductivity: f64, diameter: f64) -> f64 {
    0.87 * reynolds.powf(0.62) * prandtl.powf(1.0 / 3.0) * conductivity / diameter
}
/// 95 % mixing time, s (Grenville), for a vessel as high as `height`.
pub(crate) fn mixing_grenville(number: f64, speed: f64, impeller: f64, vessel: f64, height: f64) -> f64 {
    5.20 * vessel.powf(1.5) * height.sqrt() / (number.cbrt() * speed * impeller * impeller)
}
/// Gas hold-up (Calderbank): the positive root in √ε of `ε = √(vs·ε/vt) + 2.16e-4·(P/V)^0.4·ρ^0.2/σ^0.6·√(vs/vt)`.
fn hold_up(per_volume: f64, velocity: f64, density: f64, tension: f64) -> f64 {
    let rise = (velocity / 0.265).sqrt();
    let stirred = 2.16e-4 * per_volume.powf(0.4) * density.powf(0.2) / tension.powf(0.6) * rise;
    let root = 0.5 * (rise + (rise * rise + 4.0 * stirred).sqrt());
    root * root
}

/// The library.
pub const LIBRARY: &[Correlation] = &[
    Correlation {
        id: "kla-van-t-riet-coalescing",
        label: ["kLa（合一系、van 't Riet）", "kLa, coalescing (van 't Riet)"],
        formula: "kLa = 0.026 (P/V)^0.4 vs^0.5",
        source: "K. van 't Riet, Ind. Eng. Chem. Process Des. Dev. 18 (1979) 357; stated as accurate to 20 to 40 %, of which 30 % is taken",
        year: 1979,
        unit: "/s",
        inputs: &[per_volume(Some((500.0, 10_000.0))), gas_velocity(None), volume(Some((0.002, 2.6)))],
        relative_error: Some(0.30),
        formula_of: |v| kla_coalescing(v[0], v[1]),
    },
    Correlation {
        id: "kla-van-t-riet-non-coalescing",
        label: ["kLa（非合一系、van 't Riet）", "kLa, non-coalescing (van 't Riet)"],
        formula: "kLa = 0.002 (P/V)^0.7 vs^0.2",
        // Retellings give up to 4.4 m³ for strong electrolytes; the narrower range of the pair is taken for both.
        source: "K. van 't Riet, Ind. Eng. Chem. Process Des. Dev. 18 (1979) 357; stated as accurate to 20 to 40 %, of which 30 % is taken",
        year: 1979,
        unit: "/s",
        inputs: &[per_volume(Some((500.0, 10_000.0))), gas_velocity(None), volume(Some((0.002, 2.6)))],
        relative_error: Some(0.30),
        formula_of: |v| kla_non_coalescing(v[0], v[1]),
    },
    Correlation {
        id: "kla-linek-water",
        label: ["kLa（水、Linek）", "kLa, water (Linek)"],
        formula: "kLa = 0.00495 (P/V)^0.593 vs^0.4",
        source: "V. Linek, V. Vacek and P. Beneš, Chem. Eng. J. 34 (1987) 11; one Rushton turbine in a vessel of 0.29 m; neither paper nor retelling seen",
        year: 1987,
        unit: "/s",
        inputs: &[per_volume(None), gas_velocity(None), vessel(Some((0.29, 0.29)))],
        relative_error: None,
        formula_of: |v| 0.004_95 * v[0].powf(0.593) * v[1].powf(0.4),
    },
    Correlation {
        id: "kla-linek-sulphate",
        label: ["kLa（0.5 M Na2SO4、Linek）", "kLa, 0.5 M Na2SO4 (Linek)"],
        formula: "kLa = 0.00135 (P/V)^0.946 vs^0.4",
        source: "V. Linek, V. Vacek and P. Beneš, Chem. Eng. J. 34 (1987) 11; one Rushton turbine in a vessel of 0.29 m; neither paper nor retelling seen",
        year: 1987,
        unit: "/s",
        inputs: &[per_volume(None), gas_velocity(None), vessel(Some((0.29, 0.29)))],
        relative_error: None,
        formula_of: |v| 0.001_35 * v[0].powf(0.946) * v[1].powf(0.4),
    },
    Correlation {
        id: "power",
        label: ["撹拌動力（無通気）", "Power without gas"],
        formula: "P = Np ρ N^3 D^5",
        source: "definition of the power number; R. L. Bates, P. L. Fondy and R. R. Corpstein, Ind. Eng. Chem. Process Des. Dev. 2 (1963) 310",
        year: 1963,
        unit: "W",
        inputs: &[power_number(None), density(), speed(), impeller(), reynolds(Some((1e4, f64::INFINITY)))],
        relative_error: None,
        formula_of: |v| power(v[0], v[1], v[2], v[3]),
    },
    Correlation {
        id: "power-number-laminar",
        label: ["動力数（層流、標準タービン）", "Power number, laminar, standard turbine"],
        formula: "Np = 70 / Re",
        source: "J. H. Rushton, E. W. Costich and H. J. Everett, Chem. Eng. Prog. 46 (1950) 467, as tabled by P. M. Doran, Bioprocess Engineering Principles, 2nd ed., Academic Press 2013, chapter 8",
        year: 1950,
        unit: "1",
        inputs: &[reynolds(Some((0.0, 10.0)))],
        relative_error: None,
        formula_of: |v| 70.0 / v[0],
    },
    Correlation {
        id: "power-number-baffled",
        label: ["動力数（邪魔板付き乱流、亀井・平岡）", "Power number, turbulent, baffled (Kamei and Hiraoka)"],
        formula: "x = n^0.7 b/d; Np = 10 x^1.3 (x ≤ 0.54), 8.3 x (x ≤ 1.6), 10 x^0.6",
        source: "N. Kamei, S. Hiraoka, Y. Kato and co-workers, Kagaku Kogaku Ronbunshu 22 (1996) 249, as reviewed by H. Furukawa and co-workers, Int. J. Chem. Eng. 2012, 106496 (equations not seen)",
        year: 1996,
        unit: "1",
        inputs: &[
            input("blades", ["羽根枚数", "number of blades"], "1", Some((2.0, 8.0))),
            input("blade-ratio", ["羽根幅/翼径", "width of a blade to diameter"], "1", None),
        ],
        relative_error: None,
        formula_of: |v| {
            let x = v[0].powf(0.7) * v[1];
            if x <= 0.54 {
                10.0 * x.powf(1.3)
            } else if x <= 1.6 {
                8.3 * x
            } else {
                10.0 * x.powf(0.6)
            }
        },
    },
    Correlation {
        id: "power-number-rushton",
        label: ["動力数（ラシュトンタービン、Bujalski）", "Power number, Rushton turbine (Bujalski)"],
        formula: "Np = 2.512 (x/D)^-0.195 (T/1 m)^0.063",
        source: "W. Bujalski, A. W. Nienow, S. Chatwin and M. Cooke, Chem. Eng. Sci. 42 (1987) 317, as quoted by K. R. Beshay and co-workers, Acta Polytech. 41 (2001) no. 6, who measured 5.41 where it gives 5.25",
        year: 1987,
        unit: "1",
        inputs: &[
            input("disc-thickness-ratio", ["円板厚/翼径", "thickness of the disc to diameter"], "1", Some((0.01, 0.05))),
            vessel(None),
        ],
        relative_error: None,
        formula_of: |v| 2.512 * v[0].powf(-0.195) * v[1].powf(0.063),
    },
    Correlation {
        id: "gassed-hughmark",
        label: ["通気動力比（Hughmark）", "Share of power when gassed (Hughmark)"],
        formula: "Pg/P = 0.10 (Q/NV)^-1/4 (N²D⁴/(g W V^⅔))^-1/5, W = D/5",
        source: "G. A. Hughmark, Ind. Eng. Chem. Process Des. Dev. 19 (1980) 638; average deviation 11.7 % over 391 measurements",
        year: 1980,
        unit: "1",
        inputs: &[gas_flow(), speed(), volume(None), impeller()],
        relative_error: Some(0.117),
        formula_of: |v| gassed_share(v[0], v[1], v[2], v[3]),
    },
    Correlation {
        id: "gassed-cui",
        label: ["通気動力比（Cui）", "Share of power when gassed (Cui)"],
        formula: "a = Q N^0.25 / D²; Pg/P = 1 − 9.9 a (a ≤ 0.055), 0.48 − 0.62 a",
        source: "Y. Q. Cui, R. G. J. M. van der Lans and K. C. A. M. Luyben, Chem. Eng. Sci. 51 (1996) 2631; neither paper nor retelling seen",
        year: 1996,
        unit: "1",
        inputs: &[gas_flow(), speed(), impeller()],
        relative_error: None,
        formula_of: |v| {
            let a = v[0] * v[1].powf(0.25) / (v[2] * v[2]);
            if a <= 0.055 { 1.0 - 9.9 * a } else { 0.48 - 0.62 * a }
        },
    },
    Correlation {
        id: "mixing-ruszkowski",
        label: ["混合時間 95 %（Ruszkowski・Nienow）", "Mixing time, 95 % (Ruszkowski, Nienow)"],
        formula: "θ = 5.9 T^⅔ ε^-⅓ (D/T)^-⅓",
        source: "S. Ruszkowski, IChemE Symp. Ser. 136 (1994) 283; A. W. Nienow, Chem. Eng. Sci. 52 (1997) 2557; baffled vessels of 0.01 to 10 m3 as retold, here as diameters of vessels as high as wide",
        year: 1997,
        unit: "s",
        inputs: &[
            vessel(Some((0.23, 2.34))),
            input("power-per-mass", ["単位質量当たりの動力", "power per mass"], "W/kg", None),
            ratio(None),
            reynolds(Some((1e4, f64::INFINITY))),
            input("height-ratio", ["液深/槽径", "height to diameter"], "1", Some((0.8, 1.2))),
        ],
        relative_error: None,
        formula_of: |v| 5.9 * v[0].powf(2.0 / 3.0) * v[1].powf(-1.0 / 3.0) * v[2].powf(-1.0 / 3.0),
    },
    Correlation {
        id: "mixing-grenville",
        label: ["混合時間 95 %（Grenville）", "Mixing time, 95 % (Grenville)"],
        formula: "θ = 5.20 T^1.5 H^0.5 / (Np^⅓ N D²)",
        source: "R. K. Grenville, thesis, Cranfield 1992; R. K. Grenville and A. W. Nienow, Handbook of Industrial Mixing, Wiley 2004, chapter 9: baffled vessels, one impeller a third of the height up; standard deviation 10 %",
        year: 1992,
        unit: "s",
        inputs: &[
            power_number(None),
            speed(),
            impeller(),
            vessel(Some((0.30, 2.97))),
            input("height", ["液深", "height of the broth"], "m", None),
            // Turbulent by Np^⅓ Re, not by Re: an impeller of little power gets there later.
            input("power-reynolds", ["Np^⅓ Re", "Np^⅓ Re"], "1", Some((6_370.0, f64::INFINITY))),
            ratio(Some((1.0 / 3.0, 0.5))),
            input("height-ratio", ["液深/槽径", "height to diameter"], "1", Some((0.5, 1.0))),
        ],
        relative_error: Some(0.10),
        formula_of: |v| mixing_grenville(v[0], v[1], v[2], v[3], v[4]),
    },
    Correlation {
        id: "heat-jacket",
        label: ["ジャケット内面境膜伝熱係数", "Film coefficient inside a jacket"],
        formula: "h T/k = 0.36 Re^⅔ Pr^⅓",
        source: "T. H. Chilton, T. B. Drew and R. H. Jebens, Ind. Eng. Chem. 36 (1944) 510, doi:10.1021/ie50414a006: a paddle; for a turbine in baffles about twice as much is given (0.74, V. W. Uhl and J. B. Gray, Mixing, Academic Press 1966), so this errs on the safe side; viscosity at the wall as in the bulk",
        year: 1944,
        unit: "W/m2/K",
        inputs: &[
            reynolds(Some((300.0, 3e5))),
            input("prandtl", ["プラントル数", "Prandtl number"], "1", None),
            input("conductivity", ["熱伝導率", "thermal conductivity"], "W/m/K", None),
            vessel(None),
        ],
        relative_error: None,
        formula_of: |v| film_jacket(v[0], v[1], v[2], v[3]),
    },
    Correlation {
        id: "heat-coil",
        label: ["コイル外面境膜伝熱係数", "Film coefficient at a coil"],
        formula: "h T/k = 0.87 Re^0.62 Pr^⅓",
        source: "T. H. Chilton, T. B. Drew and R. H. Jebens, Ind. Eng. Chem. 36 (1944) 510, doi:10.1021/ie50414a006: a paddle; viscosity at the wall as in the bulk",
        year: 1944,
        unit: "W/m2/K",
        inputs: &[
            reynolds(Some((300.0, 4e5))),
            input("prandtl", ["プラントル数", "Prandtl number"], "1", None),
            input("conductivity", ["熱伝導率", "thermal conductivity"], "W/m/K", None),
            vessel(None),
        ],
        relative_error: None,
        formula_of: |v| film_coil(v[0], v[1], v[2], v[3]),
    },
    Correlation {
        id: "metabolic-heat",
        label: ["代謝熱（酸素消費から）", "Metabolic heat from oxygen uptake"],
        formula: "q = 460 kJ/mol · OUR",
        source: "J. A. Roels, Energetics and Kinetics in Biotechnology, Elsevier 1983: 460 kJ for a mole of oxygen; measured: 440 (Biotechnol. Bioeng. 30 (1987) 650), 444 (J. Appl. Chem. Biotechnol. 26 (1976), doi:10.1002/jctb.5020260179)",
        year: 1983,
        unit: "W/m3",
        inputs: &[input("oxygen-uptake", ["酸素消費速度", "oxygen uptake rate"], "mol/m3/s", None)],
        relative_error: None,
        formula_of: |v| 460e3 * v[0],
    },
    Correlation {
        id: "kla-co2",
        label: ["CO2 の kLa", "kLa of carbon dioxide"],
        formula: "kLa(CO2) = 0.89 kLa(O2)",
        source: "P. N. C. Royce and N. F. Thornhill, AIChE J. 37 (1991) 1680, abstract",
        year: 1991,
        unit: "/s",
        inputs: &[input("kla", ["酸素の kLa", "kLa of oxygen"], "/s", None)],
        relative_error: None,
        formula_of: |v| 0.89 * v[0],
    },
    Correlation {
        id: "hold-up",
        label: ["ガスホールドアップ（Calderbank）", "Gas hold-up (Calderbank)"],
        formula: "ε = (vs ε/vt)^½ + 2.16e-4 (P/V)^0.4 ρ^0.2 σ^-0.6 (vs/vt)^½, vt = 0.265 m/s",
        source: "P. H. Calderbank, Trans. Inst. Chem. Eng. 36 (1958) 443",
        year: 1958,
        unit: "1",
        inputs: &[
            per_volume(None),
            gas_velocity(Some((0.0, 0.02))),
            density(),
            input("surface-tension", ["表面張力", "surface tension"], "N/m", None),
        ],
        relative_error: None,
        formula_of: |v| hold_up(v[0], v[1], v[2], v[3]),
    },
    Correlation {
        id: "flooding",
        label: ["フラッディング限界通気数", "Gas flow number at flooding"],
        formula: "Fl = 30 (D/T)^3.5 Fr",
        source: "A. W. Nienow, M. M. C. G. Warmoeskerken, J. M. Smith and M. Konno, 5th Eur. Conf. on Mixing, BHRA 1985, 143, as in the Handbook of Industrial Mixing, Wiley 2004, chapter 11",
        year: 1985,
        unit: "1",
        inputs: &[ratio(Some((0.22, 0.55))), input("froude", ["フルード数", "Froude number"], "1", None)],
        relative_error: None,
        formula_of: |v| flooding(v[0], v[1]),
    },
    Correlation {
        id: "dispersion",
        label: ["完全分散の限界通気数", "Gas flow number of complete dispersion"],
        formula: "Fl = 0.2 (D/T)^0.5 Fr^0.5",
        source: "A. W. Nienow, M. M. C. G. Warmoeskerken, J. M. Smith and M. Konno, 5th Eur. Conf. on Mixing, BHRA 1985, 143, as in the Handbook of Industrial Mixing, Wiley 2004, chapter 11",
        year: 1985,
        unit: "1",
        inputs: &[ratio(Some((0.22, 0.55))), input("froude", ["フルード数", "Froude number"], "1", None)],
        relative_error: None,
        formula_of: |v| 0.2 * v[0].sqrt() * v[1].sqrt(),
    },
    Correlation {
        id: "tip-speed",
        label: ["翼端速度", "Tip speed"],
        formula: "u = π N D",
        source: "definition",
        year: 1950,
        unit: "m/s",
        inputs: &[speed(), impeller()],
        relative_error: None,
        formula_of: |v| std::f64::consts::PI * v[0] * v[1],
    },
    Correlation {
        id: "kolmogorov",
        label: ["コルモゴロフ長", "Kolmogorov length"],
        formula: "η = (ν³/ε)^¼",
        source: "A. N. Kolmogorov, Dokl. Akad. Nauk SSSR 30 (1941) 299; with the mean ε it is that of the mean eddy, near the impeller eddies are smaller",
        year: 1941,
        unit: "m",
        inputs: &[
            input("kinematic-viscosity", ["動粘度", "kinematic viscosity"], "m2/s", None),
            input("power-per-mass", ["単位質量当たりの動力", "power per mass"], "W/kg", None),
        ],
        relative_error: None,
        formula_of: |v| (v[0].powi(3) / v[1]).powf(0.25),
    },
    Correlation {
        id: "circulation-rushton",
        label: ["循環時間（ラシュトンタービン）", "Circulation time, Rushton turbine"],
        formula: "tc = V / (0.75 N D³)",
        source: "B. K. Revill, 4th Eur. Conf. on Mixing, BHRA 1982, 11: flow number 0.75 ± 0.15; the Handbook of Industrial Mixing gives 0.72",
        year: 1982,
        unit: "s",
        inputs: &[volume(None), speed(), impeller(), ratio(Some((0.2, 0.5)))],
        relative_error: Some(0.20),
        formula_of: |v| v[0] / (0.75 * v[1] * v[2].powi(3)),
    },
];

/// A correlation by its identifier.
///
/// # Errors
/// There is none of that identifier.
pub fn correlation(id: &str) -> Result<&'static Correlation> {
    LIBRARY.iter().find(|c| c.id == id).ok_or_else(|| {
        let known: Vec<&str> = LIBRARY.iter().map(|c| c.id).collect();
        let known = known.join(", ");
        Error::not_found("E-SCALE-003", format!("相関式 {id} はありません"), format!("there is no correlation {id}"))
            .at(Place::field("correlation"))
            .hint(format!("次のいずれかです: {known}"), format!("one of: {known}"))
    })
}
