//! A document as a [`Model`].

use super::findings::Findings;
use super::mathml;
use super::model::{
    Compartment, Event, Formula, FunctionDefinition, Id, Model, Parameter, Participant, Reaction, Species, UnitDefinition,
    UnitFactor,
};
use super::xml::{Element, Space};
use super::{SBML_002, SBML_005, SBML_W01, SBML_W03};
use toji_core::Diagnostic;

/// Reads the elements of a level.
struct Reader<'f> {
    findings: &'f mut Findings,
    level: u8,
}

/// The model of a document; `None`: it is refused.
pub(super) fn model(root: &Element, findings: &mut Findings) -> Option<Model> {
    let number = |name| root.attribute(name).and_then(|v| v.trim().parse::<u8>().ok()).unwrap_or(0);
    let (level, version) = (number("level"), number("version"));
    if root.name != "sbml" || root.space != Space::Sbml || !matches!((level, version), (2, 1..=5) | (3, 1..=2)) {
        findings.push(
            Diagnostic::error(
                SBML_002,
                root.place(),
                format!("SBML レベル 2・3 の文書ではありません（<{}>、レベル {level}、バージョン {version}）", root.name),
                format!("not a document of SBML level 2 or 3 (<{}>, level {level}, version {version})", root.name),
            )
            .remedy("レベル 3 に変換してください", "convert it to level 3"),
        );
        return None;
    }
    required_packages(root, findings);
    let Some(element) = root.first("model") else {
        findings.bad(root.place(), "<model> がありません", "there is no <model>");
        return None;
    };
    let mut reader = Reader { findings, level };
    let mut model = Model { level, version, ..Model::default() };
    reader.model(element, &mut model);
    Some(model)
}

/// A package that changes what the model means cannot be left out.
fn required_packages(root: &Element, findings: &mut Findings) {
    for (key, value) in &root.attributes {
        let Some(prefix) = key.strip_suffix(":required") else { continue };
        let uri = root.attribute(&format!("xmlns:{prefix}")).unwrap_or_default();
        if matches!(value.trim(), "true" | "1") {
            findings.push(
                Diagnostic::error(
                    SBML_005,
                    root.spot.place(prefix),
                    format!("パッケージ {prefix} ({uri}) はモデルの意味を変えますが、対応していません"),
                    format!("the package {prefix} ({uri}) changes what the model means and is not supported"),
                )
                .remedy(
                    "このパッケージを使わないモデルに展開（comp なら flatten）してください",
                    "export the model without the package (for comp: flatten it)",
                ),
            );
        }
    }
}

/// Attributes of a model that name units, and what of.
const UNITS: [(&str, &str); 6] = [
    ("timeUnits", "time"),
    ("substanceUnits", "substance"),
    ("volumeUnits", "volume"),
    ("areaUnits", "area"),
    ("lengthUnits", "length"),
    ("extentUnits", "extent"),
];

impl Reader<'_> {
    fn id(&mut self, element: &Element, attribute: &str) -> Option<Id> {
        let written = element.attribute(attribute)?.trim();
        let mut characters = written.chars();
        let good = characters.next().is_some_and(|c| c.is_ascii_alphabetic() || c == '_')
            && characters.all(|c| c.is_ascii_alphanumeric() || c == '_');
        if good {
            return Some(written.into());
        }
        self.findings.bad(
            element.place(),
            format!("<{}> の {attribute} {written:?} は識別子ではありません", element.name),
            format!("{attribute} {written:?} of <{}> is no identifier", element.name),
        );
        None
    }

    /// An identifier that must be there.
    fn must(&mut self, element: &Element, attribute: &str) -> Option<Id> {
        if element.attribute(attribute).is_none() {
            self.findings.bad(
                element.place(),
                format!("<{}> に {attribute} がありません", element.name),
                format!("<{}> has no {attribute}", element.name),
            );
        }
        self.id(element, attribute)
    }

    fn number(&mut self, element: &Element, attribute: &str) -> Option<f64> {
        let written = element.attribute(attribute)?;
        let read = mathml::parse(written);
        if read.is_none() {
            self.findings.bad(
                element.place(),
                format!("{attribute} が数ではありません: {written:?}"),
                format!("{attribute} is not a number: {written:?}"),
            );
        }
        read
    }

    /// A flag; level 3 wants it said, level 2 has a default.
    fn flag(&mut self, element: &Element, attribute: &str, default: bool, said_in_3: bool) -> bool {
        match element.attribute(attribute).map(str::trim) {
            Some("true" | "1") => true,
            Some("false" | "0") => false,
            Some(other) => {
                self.findings.bad(
                    element.place(),
                    format!("{attribute} は true か false です: {other:?}"),
                    format!("{attribute} is true or false, not {other:?}"),
                );
                default
            }
            None => {
                if said_in_3 && self.level == 3 {
                    let what = element.place();
                    self.findings.push(
                        Diagnostic::warning(
                            SBML_W03,
                            what,
                            format!("<{}> に {attribute} がないため、{default} とみなします", element.name),
                            format!("<{}> does not say {attribute}: it is taken to be {default}", element.name),
                        )
                        .remedy(format!("{attribute} を書いてください"), format!("say {attribute}")),
                    );
                }
                default
            }
        }
    }

    fn text(element: &Element, attribute: &str) -> Option<String> {
        element.attribute(attribute).map(|t| t.trim().to_owned()).filter(|t| !t.is_empty())
    }

    /// The items of a list; anything else in it is refused.
    fn items<'e>(&mut self, parent: &'e Element, list: &str, names: &[&str]) -> Vec<&'e Element> {
        let Some(list) = parent.first(list) else { return Vec::new() };
        let mut items = Vec::new();
        for child in &list.children {
            if child.space == Space::Sbml && names.contains(&child.name.as_str()) {
                items.push(child);
            } else {
                self.strange(child);
            }
        }
        items
    }

    /// An element that is not known here.
    fn strange(&mut self, element: &Element) {
        if element.space == Space::Sbml {
            self.findings.unsupported(
                element,
                format!("<{}> には対応していません", element.name),
                format!("<{}> is not supported", element.name),
                ("この要素を使わずに書き換えてください", "write the model without it"),
            );
        } else {
            self.left_out(element);
        }
    }

    fn left_out(&mut self, element: &Element) {
        self.findings.push(
            Diagnostic::warning(
                SBML_W03,
                element.place(),
                format!("<{}> は読み飛ばしました", element.name),
                format!("<{}> was passed over", element.name),
            )
            .remedy("結果に関わらないか確かめてください", "check that nothing depends on it"),
        );
    }

    /// The formula of an element; without one the element has no effect, which is said.
    fn formula(&mut self, element: &Element) -> Option<Formula> {
        let Some(math) = element.children.iter().find(|c| c.space == Space::Math && c.name == "math") else {
            self.findings.push(
                Diagnostic::warning(
                    SBML_W01,
                    element.place(),
                    format!("<{}> に式がないため、何も起こしません", element.name),
                    format!("<{}> has no formula and therefore no effect", element.name),
                )
                .remedy("式を書くか、要素を除いてください", "give it a formula or leave it out"),
            );
            return None;
        };
        Some(Formula { math: mathml::only(math, self.findings)?, spot: math.spot })
    }

    fn model(&mut self, element: &Element, model: &mut Model) {
        model.id = self.id(element, "id");
        model.name = Self::text(element, "name");
        for (attribute, of) in UNITS {
            model.units.extend(Self::text(element, attribute).map(|unit| (of, unit)));
        }
        model.conversion_factor = self.id(element, "conversionFactor");
        for child in &element.children {
            match (child.space, child.name.as_str()) {
                (
                    Space::Sbml,
                    "listOfUnitDefinitions"
                    | "listOfFunctionDefinitions"
                    | "listOfCompartments"
                    | "listOfSpecies"
                    | "listOfParameters"
                    | "listOfInitialAssignments"
                    | "listOfRules"
                    | "listOfReactions"
                    | "listOfEvents",
                ) => {}
                // Types of compartments and species say nothing about what they do; constraints only stop a simulation.
                (Space::Sbml, "listOfConstraints" | "listOfCompartmentTypes" | "listOfSpeciesTypes") => self.left_out(child),
                _ => self.strange(child),
            }
        }
        for item in self.items(element, "listOfUnitDefinitions", &["unitDefinition"]) {
            model.unit_definitions.extend(self.unit_definition(item));
        }
        for item in self.items(element, "listOfFunctionDefinitions", &["functionDefinition"]) {
            model.functions.extend(self.function(item));
        }
        for item in self.items(element, "listOfCompartments", &["compartment"]) {
            model.compartments.extend(self.compartment(item));
        }
        for item in self.items(element, "listOfSpecies", &["species"]) {
            model.species.extend(self.species(item));
        }
        for item in self.items(element, "listOfParameters", &["parameter"]) {
            model.parameters.extend(self.parameter(item, false));
        }
        for item in self.items(element, "listOfInitialAssignments", &["initialAssignment"]) {
            let symbol = self.must(item, "symbol");
            model.initial_assignments.extend(symbol.zip(self.formula(item)));
        }
        for item in self.items(element, "listOfRules", &["assignmentRule", "rateRule", "algebraicRule"]) {
            self.rule(item, model);
        }
        for item in self.items(element, "listOfReactions", &["reaction"]) {
            model.reactions.extend(self.reaction(item));
        }
        for item in self.items(element, "listOfEvents", &["event"]) {
            let event = self.event(item);
            model.events.push(event);
        }
    }

    fn unit_definition(&mut self, element: &Element) -> Option<UnitDefinition> {
        let id = self.must(element, "id")?;
        let mut units = Vec::new();
        for unit in self.items(element, "listOfUnits", &["unit"]) {
            let kind = self.must(unit, "kind")?.to_string();
            let exponent = self.number(unit, "exponent").unwrap_or(1.0);
            let scale = self.number(unit, "scale").unwrap_or(0.0);
            let multiplier = self.number(unit, "multiplier").unwrap_or(1.0);
            units.push(UnitFactor { kind, exponent, scale: scale as i32, multiplier });
        }
        Some(UnitDefinition { id, units })
    }

    fn function(&mut self, element: &Element) -> Option<FunctionDefinition> {
        let id = self.must(element, "id")?;
        let math = element.children.iter().find(|c| c.space == Space::Math && c.name == "math");
        let mut inside = math.into_iter().flat_map(|m| m.children.iter()).filter(|c| c.space == Space::Math);
        let (arguments, body) = match (inside.next(), inside.next()) {
            (None, _) => (Vec::new(), None),
            (Some(lambda), None) if lambda.name == "lambda" => {
                let (arguments, body) = mathml::lambda(lambda, self.findings)?;
                (arguments, body.map(|math| Formula { math, spot: lambda.spot }))
            }
            (Some(other), None) if other.name == "semantics" && other.children.first().is_some_and(|c| c.name == "lambda") => {
                let (arguments, body) = mathml::lambda(other.children.first()?, self.findings)?;
                (arguments, body.map(|math| Formula { math, spot: other.spot }))
            }
            _ => return self.findings.math(element, "関数は <lambda> で書きます", "a function is written as a <lambda>"),
        };
        Some(FunctionDefinition { id, arguments, body, spot: element.spot })
    }

    fn compartment(&mut self, element: &Element) -> Option<Compartment> {
        Some(Compartment {
            id: self.must(element, "id")?,
            dimensions: self.number(element, "spatialDimensions").unwrap_or(3.0),
            size: self.number(element, "size"),
            units: Self::text(element, "units"),
            constant: self.flag(element, "constant", true, true),
            spot: element.spot,
        })
    }

    fn species(&mut self, element: &Element) -> Option<Species> {
        Some(Species {
            id: self.must(element, "id")?,
            compartment: self.must(element, "compartment")?,
            initial_amount: self.number(element, "initialAmount"),
            initial_concentration: self.number(element, "initialConcentration"),
            units: Self::text(element, "substanceUnits"),
            only_substance: self.flag(element, "hasOnlySubstanceUnits", false, true),
            boundary: self.flag(element, "boundaryCondition", false, true),
            constant: self.flag(element, "constant", false, true),
            conversion_factor: self.id(element, "conversionFactor"),
            spot: element.spot,
        })
    }

    fn parameter(&mut self, element: &Element, local: bool) -> Option<Parameter> {
        Some(Parameter {
            id: self.must(element, "id")?,
            value: self.number(element, "value"),
            units: Self::text(element, "units"),
            constant: local || self.flag(element, "constant", true, true),
            spot: element.spot,
        })
    }

    fn rule(&mut self, element: &Element, model: &mut Model) {
        if element.name == "algebraicRule" {
            self.findings.unsupported(
                element,
                "代数規則 (algebraicRule) には対応していません",
                "algebraic rules are not supported",
                ("変数について解いた代入規則に書き換えてください", "solve it for its variable and write an assignment rule"),
            );
            return;
        }
        let variable = self.must(element, "variable");
        let rule = variable.zip(self.formula(element));
        if element.name == "rateRule" { &mut model.rate_rules } else { &mut model.assignment_rules }.extend(rule);
    }

    fn participants(&mut self, element: &Element, list: &str) -> Vec<Participant> {
        let mut participants = Vec::new();
        for item in self.items(element, list, &["speciesReference"]) {
            let formula = item.first("stoichiometryMath");
            let Some(species) = self.must(item, "species") else { continue };
            let said = self.number(item, "stoichiometry");
            participants.push(Participant {
                id: self.id(item, "id"),
                species,
                // Level 2 means 1 where nothing is said.
                stoichiometry: said.or_else(|| (self.level == 2 && formula.is_none()).then_some(1.0)),
                formula: formula.and_then(|f| self.formula(f)),
                constant: self.flag(item, "constant", false, true),
                spot: item.spot,
            });
        }
        participants
    }

    fn reaction(&mut self, element: &Element) -> Option<Reaction> {
        let id = self.must(element, "id")?;
        if self.flag(element, "fast", false, false) {
            self.findings.unsupported(
                element,
                "速い反応 (fast=\"true\") には対応していません",
                "fast reactions (fast=\"true\") are not supported",
                (
                    "十分に大きな速度定数の反応か、平衡を表す代入規則に書き換えてください",
                    "write it as a reaction with large rate constants, or its equilibrium as an assignment rule",
                ),
            );
        }
        let law = element.first("kineticLaw");
        let mut parameters = Vec::new();
        for item in law.map(|l| self.items(l, "listOfLocalParameters", &["localParameter"])).unwrap_or_default() {
            parameters.extend(self.parameter(item, true));
        }
        for item in law.map(|l| self.items(l, "listOfParameters", &["parameter"])).unwrap_or_default() {
            parameters.extend(self.parameter(item, true));
        }
        if law.is_none() {
            self.findings.push(
                Diagnostic::warning(
                    SBML_W01,
                    element.place(),
                    format!("反応 {id} に速度式がないため、進みません"),
                    format!("the reaction {id} has no kinetic law and does not proceed"),
                )
                .remedy("速度式を書いてください", "give it a kinetic law"),
            );
        }
        for item in self.items(element, "listOfModifiers", &["modifierSpeciesReference"]) {
            let _ = self.must(item, "species");
        }
        Some(Reaction {
            reactants: self.participants(element, "listOfReactants"),
            products: self.participants(element, "listOfProducts"),
            law: law.and_then(|l| self.formula(l)),
            parameters,
            id,
            spot: element.spot,
        })
    }

    fn event(&mut self, element: &Element) -> Event {
        let trigger = element.first("trigger");
        let flag = |this: &mut Self, name| trigger.is_none_or(|t| this.flag(t, name, true, true));
        let was_true = flag(self, "initialValue");
        let persistent = flag(self, "persistent");
        let delay = element.first("delay").and_then(|e| self.formula(e));
        let priority = element.first("priority").and_then(|e| self.formula(e));
        let mut assignments = Vec::new();
        for item in self.items(element, "listOfEventAssignments", &["eventAssignment"]) {
            let variable = self.must(item, "variable");
            assignments.extend(variable.zip(self.formula(item)));
        }
        Event {
            id: self.id(element, "id"),
            trigger: match trigger {
                Some(trigger) => self.formula(trigger),
                None => self.formula(element),
            },
            was_true,
            persistent,
            delay,
            priority,
            at_trigger: self.flag(element, "useValuesFromTriggerTime", true, true),
            assignments,
            spot: element.spot,
        }
    }
}
