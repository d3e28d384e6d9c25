//! Substances of fermentation with a formula, so that g/L and mmol/L convert into each other.
//!
//! Molar masses are computed from the formula with the standard atomic weights; none is typed in. An
//! acid and its anion are two entries: 1 g/L of lactic acid is not 1 g/L of lactate. A protein such as
//! IgG has no entry, because a product has no mass that a table could know.

use crate::error::{Error, Result};
use crate::text::Text;
use crate::unit::{Quantity, Unit};
use std::collections::HashMap;
use std::sync::OnceLock;
use unicode_normalization::UnicodeNormalization as _;

/// Standard atomic weights (CIAAW 2021; abridged or conventional value where an interval is given).
const ATOMIC_WEIGHTS: [(&str, f64); 24] = [
    ("H", 1.008),
    ("B", 10.81),
    ("C", 12.011),
    ("N", 14.007),
    ("O", 15.999),
    ("F", 18.998_403_162),
    ("Na", 22.989_769_28),
    ("Mg", 24.305),
    ("Al", 26.981_538_4),
    ("Si", 28.085),
    ("P", 30.973_761_998),
    ("S", 32.06),
    ("Cl", 35.45),
    ("K", 39.0983),
    ("Ca", 40.078),
    ("Mn", 54.938_043),
    ("Fe", 55.845),
    ("Co", 58.933_194),
    ("Ni", 58.6934),
    ("Cu", 63.546),
    ("Zn", 65.38),
    ("Se", 78.971),
    ("Mo", 95.95),
    ("I", 126.904_47),
];

/// A substance with one molar mass.
#[derive(Debug, PartialEq, Eq)]
pub struct Substance {
    /// English name, also its key.
    pub name: &'static str,
    /// Japanese name.
    pub name_ja: &'static str,
    /// Molecular formula without charge.
    pub formula: &'static str,
    /// ChEBI identifier, such as `CHEBI:17634`; none for the residue of a polymer.
    pub chebi: Option<u32>,
    /// Prefixes of isomers that the entry covers, such as `L-`, and further names; white space between them.
    isomers: &'static str,
    synonyms: &'static str,
}

const fn one(
    name: &'static str,
    name_ja: &'static str,
    formula: &'static str,
    chebi: u32,
    isomers: &'static str,
    synonyms: &'static str,
) -> Substance {
    let chebi = if chebi == 0 { None } else { Some(chebi) };
    Substance { name, name_ja, formula, chebi, isomers, synonyms }
}

const D: &str = "d-";
const L: &str = "l-";
const ANY: &str = "l- d- dl- (s)- (r)- l(+)- d(-)-";
const NONE: &str = "";

/// The table. Abbreviations that analysers use in two senses (`Glu`: glucose or glutamate) are absent.
/// Every substance of the table.
#[must_use]
pub fn all() -> &'static [Substance] {
    ALL
}

const ALL: &[Substance] = &[
    // Sugars and alcohols
    one("glucose", "グルコース", "C6H12O6", 17634, D, "glc gluc dextrose ブドウ糖"),
    one("fructose", "フルクトース", "C6H12O6", 15824, D, "fru 果糖"),
    one("galactose", "ガラクトース", "C6H12O6", 12936, D, ""),
    one("mannose", "マンノース", "C6H12O6", 4208, D, ""),
    one("xylose", "キシロース", "C5H10O5", 65327, D, "xyl"),
    one("arabinose", "アラビノース", "C5H10O5", 30849, L, ""),
    one("sucrose", "スクロース", "C12H22O11", 17992, NONE, "saccharose ショ糖 蔗糖"),
    one("maltose", "マルトース", "C12H22O11", 17306, D, "麦芽糖"),
    one("lactose", "ラクトース", "C12H22O11", 17716, D, "乳糖"),
    one("trehalose", "トレハロース", "C12H22O11", 16551, D, ""),
    one("glycerol", "グリセロール", "C3H8O3", 17754, NONE, "glycerin glycerine グリセリン"),
    one("ethanol", "エタノール", "C2H6O", 16236, NONE, "etoh ethylalcohol エチルアルコール"),
    one("methanol", "メタノール", "CH4O", 17790, NONE, "meoh"),
    one("1-butanol", "1-ブタノール", "C4H10O", 28885, NONE, "butanol n-butanol butan-1-ol"),
    one("isoamyl alcohol", "イソアミルアルコール", "C5H12O", 15837, NONE, "isoamylol 3-methyl-1-butanol"),
    one("acetone", "アセトン", "C3H6O", 15347, NONE, ""),
    one("acetaldehyde", "アセトアルデヒド", "C2H4O", 15343, NONE, ""),
    one("acetoin", "アセトイン", "C4H8O2", 15688, NONE, ""),
    one("2,3-butanediol", "2,3-ブタンジオール", "C4H10O2", 62064, NONE, "butane-2,3-diol 2,3-bdo"),
    // Organic acids: anion and acid
    one("lactate", "乳酸イオン", "C3H5O3", 24996, ANY, "lac"),
    one("lactic acid", "乳酸", "C3H6O3", 78320, ANY, ""),
    one("acetate", "酢酸イオン", "C2H3O2", 30089, NONE, ""),
    one("acetic acid", "酢酸", "C2H4O2", 15366, NONE, ""),
    one("pyruvate", "ピルビン酸イオン", "C3H3O3", 15361, NONE, ""),
    one("pyruvic acid", "ピルビン酸", "C3H4O3", 32816, NONE, ""),
    one("formate", "ギ酸イオン", "CHO2", 15740, NONE, ""),
    one("formic acid", "ギ酸", "CH2O2", 30751, NONE, "蟻酸"),
    one("succinate", "コハク酸イオン", "C4H4O4", 30031, NONE, ""),
    one("succinic acid", "コハク酸", "C4H6O4", 15741, NONE, "琥珀酸"),
    one("citrate", "クエン酸イオン", "C6H5O7", 16947, NONE, ""),
    one("citric acid", "クエン酸", "C6H8O7", 30769, NONE, ""),
    one("malic acid", "リンゴ酸", "C4H6O5", 6650, ANY, ""),
    one("fumarate", "フマル酸イオン", "C4H2O4", 29806, NONE, ""),
    one("propionate", "プロピオン酸イオン", "C3H5O2", 17272, NONE, "propanoate"),
    one("butyrate", "酪酸イオン", "C4H7O2", 17968, NONE, "butanoate"),
    one("itaconic acid", "イタコン酸", "C5H6O4", 30838, NONE, ""),
    one("kojic acid", "コウジ酸", "C6H6O4", 43572, NONE, "麹酸"),
    one("3-hydroxybutyrate", "3-ヒドロキシ酪酸イオン", "C4H7O3", 37054, ANY, "3hb 3-hydroxybutanoate"),
    one("PHB monomer", "PHB 単量体残基", "C4H6O2", 0, NONE, "phbrepeatunit 3-hydroxybutyrateresidue phb単量体"),
    // Aroma of sake
    one("ethyl acetate", "酢酸エチル", "C4H8O2", 27750, NONE, ""),
    one("isoamyl acetate", "酢酸イソアミル", "C7H14O2", 31725, NONE, ""),
    one("ethyl hexanoate", "カプロン酸エチル", "C8H16O2", 86055, NONE, "ethylcaproate ヘキサン酸エチル"),
    // Amino acids, as the neutral molecule unless the name says ion
    one("alanine", "アラニン", "C3H7NO2", 16977, L, "ala"),
    one("arginine", "アルギニン", "C6H14N4O2", 16467, L, "arg"),
    one("asparagine", "アスパラギン", "C4H8N2O3", 17196, L, "asn"),
    one("aspartic acid", "アスパラギン酸", "C4H7NO4", 17053, L, ""),
    one("aspartate", "アスパラギン酸イオン", "C4H6NO4", 29991, L, ""),
    one("cysteine", "システイン", "C3H7NO2S", 17561, L, "cys"),
    one("cystine", "シスチン", "C6H12N2O4S2", 16283, L, ""),
    one("glutamine", "グルタミン", "C5H10N2O3", 18050, L, "gln"),
    one("glutamic acid", "グルタミン酸", "C5H9NO4", 16015, L, ""),
    one("glutamate", "グルタミン酸イオン", "C5H8NO4", 29985, L, ""),
    one("glycine", "グリシン", "C2H5NO2", 15428, NONE, "gly"),
    one("histidine", "ヒスチジン", "C6H9N3O2", 15971, L, "his"),
    one("isoleucine", "イソロイシン", "C6H13NO2", 17191, L, "ile"),
    one("leucine", "ロイシン", "C6H13NO2", 15603, L, "leu"),
    one("lysine", "リジン", "C6H14N2O2", 18019, L, "lys リシン"),
    one("methionine", "メチオニン", "C5H11NO2S", 16643, L, "met"),
    one("ornithine", "オルニチン", "C5H12N2O2", 15729, L, ""),
    one("phenylalanine", "フェニルアラニン", "C9H11NO2", 17295, L, "phe"),
    one("proline", "プロリン", "C5H9NO2", 17203, L, ""),
    one("serine", "セリン", "C3H7NO3", 17115, L, "ser"),
    one("threonine", "スレオニン", "C4H9NO3", 16857, L, "thr トレオニン"),
    one("tryptophan", "トリプトファン", "C11H12N2O2", 16828, L, "trp"),
    one("tyrosine", "チロシン", "C9H11NO3", 17895, L, "tyr"),
    one("valine", "バリン", "C5H11NO2", 16414, L, "val"),
    // Nitrogen, ions, gases
    one("ammonia", "アンモニア", "NH3", 16134, NONE, ""),
    one("ammonium", "アンモニウムイオン", "NH4", 28938, NONE, "nh4+ nh4"),
    one("urea", "尿素", "CH4N2O", 16199, NONE, ""),
    one("nitrate", "硝酸イオン", "NO3", 17632, NONE, "no3-"),
    one("phosphate", "リン酸イオン", "PO4", 18367, NONE, "po4 po43- orthophosphate inorganicphosphate"),
    one("sulfate", "硫酸イオン", "SO4", 16189, NONE, "sulphate so42-"),
    one("hydrogencarbonate", "炭酸水素イオン", "CHO3", 17544, NONE, "bicarbonate hco3 hco3- 重炭酸イオン"),
    one("chloride", "塩化物イオン", "Cl", 17996, NONE, "cl-"),
    one("sodium", "ナトリウムイオン", "Na", 29101, NONE, "na+ ナトリウム"),
    one("potassium", "カリウムイオン", "K", 29103, NONE, "k+ カリウム"),
    one("calcium", "カルシウムイオン", "Ca", 29108, NONE, "ca++ ca2+ カルシウム"),
    one("magnesium", "マグネシウムイオン", "Mg", 18420, NONE, "mg++ mg2+ マグネシウム"),
    one("iron", "鉄", "Fe", 18248, NONE, "fe2+ fe3+ totaliron"),
    one("carbon dioxide", "二酸化炭素", "CO2", 16526, NONE, "co2 炭酸ガス"),
    one("oxygen", "酸素", "O2", 15379, NONE, "o2 dioxygen"),
    one("hydrogen", "水素", "H2", 18276, NONE, "h2 dihydrogen"),
    one("nitrogen", "窒素", "N2", 17997, NONE, "n2 dinitrogen"),
    one("methane", "メタン", "CH4", 16183, NONE, "ch4"),
    one("water", "水", "H2O", 15377, NONE, "h2o"),
];

/// Names of things without one molar mass, refused with the reason.
const WITHOUT_MASS: [&str; 14] = [
    "igg",
    "mab",
    "antibody",
    "protein",
    "totalprotein",
    "抗体",
    "タンパク質",
    "蛋白質",
    "dna",
    "rna",
    "biomass",
    "菌体",
    "starch",
    "phb",
];

impl Substance {
    /// The table.
    #[must_use]
    pub const fn all() -> &'static [Self] {
        ALL
    }

    /// The substance of a name, synonym or ChEBI identifier, whatever its case, width, spaces or hyphens.
    ///
    /// # Errors
    /// `E-SUBST-001` not in the table; `E-SUBST-002` something without one molar mass, such as IgG.
    pub fn find(text: &str) -> Result<&'static Self> {
        let wanted = key(text);
        if let Some(found) = names().get(&wanted) {
            return Ok(found);
        }
        let shown: String = text.chars().take(60).collect();
        if WITHOUT_MASS.contains(&wanted.as_str()) {
            return Err(Error::input(
                "E-SUBST-002",
                format!("「{shown}」には決まったモル質量がありません"),
                format!("\"{shown}\" has no one molar mass"),
            )
            .hint("質量濃度のまま扱ってください", "keep it as a mass concentration"));
        }
        let start: String = wanted.chars().take(3).collect();
        let near: Vec<&str> =
            ALL.iter().filter(|s| !start.is_empty() && key(s.name).starts_with(&start)).map(|s| s.name).take(4).collect();
        let error = Error::input(
            "E-SUBST-001",
            format!("物質「{shown}」は表にありません"),
            format!("the substance \"{shown}\" is not in the table"),
        );
        Err(if near.is_empty() {
            error.hint(
                "名前か ChEBI 番号で指定してください（例: glucose、CHEBI:17634）",
                "give a name or ChEBI identifier: glucose, CHEBI:17634",
            )
        } else {
            error.hint(format!("近い名前: {}", near.join(", ")), format!("similar names: {}", near.join(", ")))
        })
    }

    /// Molar mass, g/mol.
    ///
    /// # Errors
    /// As [`molar_mass_g_per_mol`]; none for the formulas of the table.
    pub fn molar_mass_g_per_mol(&self) -> Result<f64> {
        molar_mass_g_per_mol(self.formula)
    }

    /// Its name in both languages.
    #[must_use]
    pub fn label(&self) -> Text {
        Text::new(self.name_ja, self.name)
    }

    /// Its CURIE, such as `CHEBI:17634`.
    #[must_use]
    pub fn curie(&self) -> Option<String> {
        self.chebi.map(|id| format!("CHEBI:{id}"))
    }
}

/// A mass (g, mg/L, g/L/h, mg/g …) of a substance as an amount (mol, mmol/L …); the prefix stays.
///
/// # Errors
/// `E-SUBST-003` the unit is not a mass in grams, or its annotation says it is of something else (`g{DCW}`).
pub fn mass_to_amount(mass: &Quantity, substance: &Substance) -> Result<Quantity> {
    let unit = swapped(&mass.unit, "g", "mol", substance)?;
    Ok(Quantity { value: mass.value / substance.molar_mass_g_per_mol()?, unit })
}

/// An amount (mol, mmol/L …) of a substance as a mass (g, mg/L …); the prefix stays.
///
/// # Errors
/// `E-SUBST-003` the unit is not an amount of substance.
pub fn amount_to_mass(amount: &Quantity, substance: &Substance) -> Result<Quantity> {
    let unit = swapped(&amount.unit, "mol", "g", substance)?;
    Ok(Quantity { value: amount.value * substance.molar_mass_g_per_mol()?, unit })
}

/// A quantity of a substance in another unit, through its molar mass where that is needed.
///
/// # Errors
/// As [`Unit::convert`], [`mass_to_amount`] and [`amount_to_mass`].
pub fn convert(quantity: &Quantity, to: &Unit, substance: &Substance) -> Result<Quantity> {
    if quantity.unit.commensurable(to) {
        return quantity.to(to);
    }
    if to.swapped("mol", "g").is_some_and(|mass| mass.commensurable(&quantity.unit)) {
        return mass_to_amount(quantity, substance)?.to(to);
    }
    if to.swapped("g", "mol").is_some_and(|amount| amount.commensurable(&quantity.unit)) {
        return amount_to_mass(quantity, substance)?.to(to);
    }
    quantity.to(to)
}

fn swapped(unit: &Unit, from: &str, to: &str, substance: &Substance) -> Result<Unit> {
    unit.swapped(from, to).ok_or_else(|| {
        let (ja, en) = if from == "g" { ("質量", "a mass in grams") } else { ("物質量", "an amount in moles") };
        let Text { ja: name_ja, en: name } = substance.label();
        Error::input(
            "E-SUBST-003",
            format!("単位 {unit} は{name_ja}の{ja}ではありません"),
            format!("the unit {unit} is not {en} of {name}"),
        )
        .hint("g/L や mmol/L のような単位で指定してください", "use a unit such as g/L or mmol/L")
    })
}

/// Molar mass of a formula such as `C6H12O6`, `(NH4)2SO4` or `CuSO4.5H2O`, g/mol.
///
/// # Errors
/// `E-SUBST-004` not a formula, or an element outside the table of atomic weights.
pub fn molar_mass_g_per_mol(formula: &str) -> Result<f64> {
    let mass = formula.split(['.', '·']).try_fold(0.0, |sum, part| {
        let digits = part.len() - part.trim_start_matches(|c: char| c.is_ascii_digit()).len();
        let (count, rest) = part.split_at_checked(digits)?;
        Some(sum + count_of(count)? * group_mass(rest)?)
    });
    mass.ok_or_else(|| {
        let shown: String = formula.chars().take(60).collect();
        Error::input("E-SUBST-004", format!("化学式「{shown}」が読めません"), format!("the formula \"{shown}\" cannot be read"))
            .hint("C6H12O6 のように書いてください", "write it like C6H12O6")
    })
}

/// A count of up to four digits; nothing written is one.
fn count_of(digits: &str) -> Option<f64> {
    if digits.is_empty() { Some(1.0) } else { digits.parse::<u16>().ok().filter(|n| (1..10_000).contains(n)).map(f64::from) }
}

fn group_mass(formula: &str) -> Option<f64> {
    let mut open: Vec<f64> = vec![0.0];
    let mut rest = formula;
    if rest.is_empty() {
        return None;
    }
    while let Some(first) = rest.chars().next() {
        let name = rest.len() - rest.strip_prefix(first)?.trim_start_matches(|c: char| c.is_ascii_lowercase()).len();
        let (symbol, after) = rest.split_at_checked(if first.is_ascii_uppercase() { name } else { first.len_utf8() })?;
        let digits = after.len() - after.trim_start_matches(|c: char| c.is_ascii_digit()).len();
        let (count, after) = after.split_at_checked(if first == '(' { 0 } else { digits })?;
        match first {
            '(' => open.push(0.0),
            ')' => {
                let inner = open.pop()?;
                *open.last_mut()? += inner * count_of(count)?;
            }
            _ => {
                let weight = ATOMIC_WEIGHTS.iter().find(|(element, _)| *element == symbol)?.1;
                *open.last_mut()? += weight * count_of(count)?;
            }
        }
        rest = after;
    }
    if open.len() == 1 { open.pop().filter(|mass| *mass > 0.0) } else { None }
}

/// How names are compared: NFKC, lower case, without white space, hyphens and underscores.
fn key(name: &str) -> String {
    let folded: String = name.nfkc().flat_map(char::to_lowercase).filter(|c| !c.is_whitespace() && *c != '_').collect();
    // A hyphen at the end is a charge (`cl-`), anywhere else a joint.
    match folded.strip_suffix(['-', '−', '⁻']) {
        Some(stem) => format!("{}-", stem.replace(['-', '‐', '–'], "")),
        None => folded.replace(['-', '‐', '–'], ""),
    }
}

fn names() -> &'static HashMap<String, &'static Substance> {
    static NAMES: OnceLock<HashMap<String, &'static Substance>> = OnceLock::new();
    NAMES.get_or_init(|| {
        let mut out = HashMap::new();
        for substance in ALL {
            let all = [substance.name, substance.name_ja].into_iter().chain(substance.synonyms.split_whitespace());
            for name in all {
                out.insert(key(name), substance);
                for isomer in substance.isomers.split_whitespace() {
                    out.insert(key(&format!("{isomer}{name}")), substance);
                }
            }
            out.extend(substance.curie().map(|curie| (key(&curie), substance)));
        }
        out
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn unit(text: &str) -> Unit {
        Unit::parse(text).unwrap()
    }

    #[test]
    fn molar_masses_agree_with_published_ones() {
        // PubChem molecular weights, g/mol.
        for (name, mass) in [
            ("glucose", 180.16),
            ("L-glutamine", 146.14),
            ("lactic acid", 90.08),
            ("glutamic acid", 147.13),
            ("ethanol", 46.07),
            ("sucrose", 342.30),
            ("citric acid", 192.12),
            ("ammonia", 17.031),
            ("酢酸", 60.05),
            ("L-tryptophan", 204.22),
            ("cystine", 240.3),
            ("CO2", 44.009),
        ] {
            let have = Substance::find(name).unwrap().molar_mass_g_per_mol().unwrap();
            assert!((have - mass).abs() < 0.01, "{name}: {have} is not {mass}");
        }
        assert!((molar_mass_g_per_mol("(NH4)2SO4").unwrap() - 132.14).abs() < 0.01);
        assert!((molar_mass_g_per_mol("CuSO4.5H2O").unwrap() - 249.68).abs() < 0.01);
        for bad in ["", "C6H12O6)", "(", "Xx", "C0", "h2o", "C6 H12", "()", "C99999999999", "酒", "5"] {
            assert_eq!(molar_mass_g_per_mol(bad).unwrap_err().code(), "E-SUBST-004", "{bad}");
        }
    }

    #[test]
    fn every_entry_is_sound_and_no_name_means_two() {
        let mut seen: HashMap<String, &str> = HashMap::new();
        for substance in ALL {
            assert!(substance.molar_mass_g_per_mol().unwrap() > 1.0, "{}", substance.name);
            let all = [substance.name, substance.name_ja].into_iter().chain(substance.synonyms.split_whitespace());
            for name in all {
                let before = seen.insert(key(name), substance.name);
                assert!(before.is_none(), "{name} names {before:?} and {}", substance.name);
                assert_eq!(Substance::find(name).unwrap(), substance);
            }
            if let Some(curie) = substance.curie() {
                assert_eq!(Substance::find(&curie).unwrap(), substance);
            }
        }
    }

    #[test]
    fn finds_what_people_write() {
        for (text, name) in [
            ("Gluc", "glucose"),
            ("Ｄ－グルコース", "glucose"),
            ("L Lactate", "lactate"),
            ("NH₄⁺", "ammonium"),
            ("Ca++", "calcium"),
            ("Na+", "sodium"),
            ("chebi:16236", "ethanol"),
        ] {
            assert_eq!(Substance::find(text).unwrap().name, name, "{text}");
        }
        // One analyser's Glu is glutamate, another's is glucose.
        assert_eq!(Substance::find("Glu").unwrap_err().code(), "E-SUBST-001");
        assert_eq!(Substance::find("IgG").unwrap_err().code(), "E-SUBST-002");
        assert_eq!(Substance::find("D-glutamine").unwrap_err().code(), "E-SUBST-001");
    }

    #[test]
    fn converts_only_what_is_of_the_substance() {
        let glucose = Substance::find("glucose").unwrap();
        let amount = mass_to_amount(&Quantity::new(1.0, unit("g/L")), glucose).unwrap();
        assert_eq!(amount.unit.code(), "mol/L");
        assert!((amount.value - 1.0 / 180.156).abs() < 1e-12);
        // 5.551 mmol/L is 1 g/L of glucose.
        let clinical = convert(&Quantity::new(100.0, unit("mg/dL")), &unit("mM"), glucose).unwrap();
        assert!((clinical.value - 5.5507).abs() < 1e-3, "{clinical}");
        assert_eq!(mass_to_amount(&Quantity::new(1.0, unit("mg/g")), glucose).unwrap().unit.code(), "mmol/g");
        assert_eq!(convert(&Quantity::new(1.0, unit("g/L")), &unit("mg/L"), glucose).unwrap().value, 1000.0);
        for refused in ["g{DCW}/L", "%", "m3", "mmol/L", "{OD600}"] {
            let error = mass_to_amount(&Quantity::new(1.0, unit(refused)), glucose).unwrap_err();
            assert_eq!(error.code(), "E-SUBST-003", "{refused}");
            assert!(error.fault().message.en.contains("glucose"));
        }
        assert_eq!(convert(&Quantity::new(1.0, unit("mosm/kg")), &unit("g/L"), glucose).unwrap_err().code(), "E-UNIT-002");
    }

    proptest! {
        #[test]
        fn there_and_back(value in -1e9f64..1e9, which in 0usize..80) {
            let substance = &ALL[which % ALL.len()];
            let mass = Quantity::new(value, unit("mg/L"));
            let back = amount_to_mass(&mass_to_amount(&mass, substance).unwrap(), substance).unwrap();
            prop_assert_eq!(&back.unit, &mass.unit);
            prop_assert!((back.value - value).abs() <= 1e-12 * value.abs());
        }
        #[test]
        fn any_text_is_found_or_refused(text in "\\PC*") {
            let _ = (Substance::find(&text), molar_mass_g_per_mol(&text));
        }
        #[test]
        fn any_formula_is_read_or_refused(text in "[CHNOPSa-z0-9().·]{0,24}") {
            let _ = molar_mass_g_per_mol(&text);
        }
    }
}
