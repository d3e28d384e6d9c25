//! Words of the Allotrope Simple Model (ASM) for analysers: properties, units and classes, each with the
//! variable and UCUM unit it stands for here. Both the reader and the writer use this one table.
//! Source: the published ASM schemas solution-analyzer and cell-counting REC/2024/09, plate-reader and
//! spectrophotometry REC/2024/06.

use toji_core::Unit;

/// Part of a measurement document a quantity belongs to. One measurement document holds one group.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Group {
    /// A concentration in the analyte aggregate document.
    Analyte,
    /// The point absorbance of the measurement.
    Absorbance,
    /// pH and its temperature.
    Ph,
    /// Partial pressures and saturations.
    BloodGas,
    /// Osmolality.
    Osmolality,
    /// Processed data of a cell counter.
    Cells,
    /// One wavelength of an absorption spectrum.
    Spectrum,
    /// No property of its own: custom information.
    Custom,
}

impl Group {
    /// Detection type of a solution analyser.
    pub(crate) fn detection(self) -> Option<&'static str> {
        match self {
            Self::Analyte => Some("metabolite-detection"),
            Self::Absorbance | Self::Spectrum => Some("absorbance"),
            Self::Ph => Some("ph-detection"),
            Self::BloodGas => Some("blood-gas-detection"),
            Self::Osmolality => Some("osmolality-detection"),
            Self::Cells => Some("cell-counting"),
            Self::Custom => None,
        }
    }
}

/// One property with its one unit.
pub(crate) struct Term {
    /// Variable of Toji.
    pub(crate) variable: &'static str,
    /// Property name.
    pub(crate) property: &'static str,
    /// Unit as ASM writes it.
    pub(crate) unit: &'static str,
    /// Where it belongs.
    pub(crate) group: Group,
}

const fn term(variable: &'static str, property: &'static str, unit: &'static str, group: Group) -> Term {
    Term { variable, property, unit, group }
}

/// Properties outside the analyte document.
const TERMS: [Term; 19] = [
    term("optical-density", "absorbance", "mAU", Group::Absorbance),
    term("ph", "pH", "pH", Group::Ph),
    term("temperature", "temperature", "degC", Group::Ph),
    term("po2-gas", "pO2", "mmHg", Group::BloodGas),
    term("pco2", "pCO2", "mmHg", Group::BloodGas),
    term("oxygen-saturation", "oxygen saturation", "%", Group::BloodGas),
    term("co2-saturation", "carbon dioxide saturation", "%", Group::BloodGas),
    term("osmolality", "osmolality", "mosm/kg", Group::Osmolality),
    term("viability", "viability (cell counter)", "%", Group::Cells),
    term("total-cell-density", "total cell density (cell counter)", "10^6 cells/mL", Group::Cells),
    term("viable-cell-density", "viable cell density (cell counter)", "10^6 cells/mL", Group::Cells),
    term("dead-cell-density", "dead cell density (cell counter)", "10^6 cells/mL", Group::Cells),
    term("total-cell-count", "total cell count", "cell", Group::Cells),
    term("viable-cell-count", "viable cell count", "cell", Group::Cells),
    term("dead-cell-count", "dead cell count", "cell", Group::Cells),
    term("cell-diameter", "average total cell diameter", "µm", Group::Cells),
    term("viable-cell-diameter", "average live cell diameter (cell counter)", "µm", Group::Cells),
    term("cell-circularity", "average total cell circularity", "(unitless)", Group::Cells),
    term("viable-cell-circularity", "average viable cell circularity", "(unitless)", Group::Cells),
];

/// Concentrations of the analyte document, by unit.
pub(crate) const CONCENTRATIONS: [(&str, &str); 3] =
    [("mass concentration", "g/L"), ("molar concentration", "mmol/L"), ("volume concentration", "mL/L")];

/// Property of an absorption spectrum: a cube of one dimension, the wavelength, and one measure.
pub(crate) const SPECTRUM: &str = "absorption spectrum data cube";
/// Unit of its measure, as ASM writes it.
pub(crate) const SPECTRUM_UNIT: &str = "mAU";
/// Field of a result with the wavelength it was measured at, in nanometres.
pub(crate) const WAVELENGTH: &str = "wavelength-nm";

/// Name of one wavelength of a spectrum.
pub(crate) fn spectral_name(wavelength_nm: f64) -> String {
    format!("absorbance {wavelength_nm} nm")
}

/// Units as ASM writes them, and their UCUM codes where reading the text alone would not find them.
const UNITS: [(&str, &str); 10] = [
    ("(unitless)", "1"),
    ("10^6 cells/mL", "10*6/mL"),
    ("cell", "{cell}"),
    ("degC", "Cel"),
    ("mmHg", "mm[Hg]"),
    ("pH", "[pH]"),
    ("µm", "um"),
    ("μL", "uL"),
    ("mAU", "10*-3.{AU}"),
    ("counts/mL", "{count}/mL"),
];

/// Every term.
pub(crate) fn terms() -> impl Iterator<Item = &'static Term> {
    TERMS.iter()
}

/// The term a variable is written as.
pub(crate) fn of_variable(variable: &str) -> Option<&'static Term> {
    terms().find(|t| t.variable == variable)
}

/// The variable of a property.
pub(crate) fn of_property(property: &str) -> Option<&'static Term> {
    terms().find(|t| t.property == property)
}

/// The unit ASM's text stands for; `None` when it is not understood.
pub(crate) fn unit(text: &str) -> Option<Unit> {
    let code = UNITS.iter().find(|(asm, _)| *asm == text).map_or(text, |(_, code)| code);
    Unit::parse(code).ok()
}

/// Labels of custom information that carry what ASM has no place for, followed by `: ` and the source's
/// name of the quantity.
pub(crate) mod label {
    /// The number, bound or words as the source wrote them, with the unit.
    pub(crate) const WRITTEN: &str = "value as written";
    /// UCUM unit of the text as written, where the source states none and the document's is another.
    pub(crate) const UNIT: &str = "unit";
    /// Property or analyte name under which the quantity stands.
    pub(crate) const NAME: &str = "name";
    /// Flag of the instrument.
    pub(crate) const FLAG: &str = "flag";
    /// A bound from above.
    pub(crate) const UPPER: &str = "upper bound";
    /// A bound from below.
    pub(crate) const LOWER: &str = "lower bound";
    /// When the sample was taken.
    pub(crate) const TAKEN: &str = "sample time";
    /// Who says in which zone the clock ran.
    pub(crate) const ZONE: &str = "time zone evidence";
}

#[cfg(test)]
mod tests {
    use super::*;
    use toji_core::variable;

    #[test]
    fn every_term_is_a_variable_in_a_unit_that_fits() {
        for term in terms() {
            let known = variable::get(term.variable).unwrap_or_else(|| panic!("{}", term.variable));
            let unit = unit(term.unit).unwrap_or_else(|| panic!("{}", term.unit));
            if term.variable != "optical-density" {
                let usual = Unit::parse(&known.unit).unwrap();
                assert!(unit.commensurable(&usual), "{}: {unit} and {usual}", term.variable);
            }
        }
        for (_, concentration) in CONCENTRATIONS {
            assert!(unit(concentration).is_some());
        }
    }
}
