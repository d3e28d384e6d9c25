//! A model file with its flows made countable: what runs in, what runs out, and what leaves with it.

use crate::kernel::Number;
use crate::model::{File, Kind, Model, VOLUME, compile};
use toji_core::{Error, Place, Result, Text, Unit};

/// Which of the model's quantities are what.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Roles {
    /// Species that is made to be sold.
    pub product: Option<String>,
    /// Species that are the living cells; else those that grow from themselves and that no stream brings.
    pub cells: Option<String>,
    /// Outflows that are collected; else those that keep something back, else all.
    pub harvest: Vec<String>,
    /// Inflows that count as medium; else all.
    pub medium: Vec<String>,
}

/// What is looked for, per time unless said otherwise, in the units of the model.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Measure {
    /// Product collected per volume of broth and time.
    PerVolume,
    /// Product collected per volume of medium.
    PerMedium,
    /// Product collected per living cells and time.
    PerCell,
}

/// All that is measured at one state, in the units of the model.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Measures<N> {
    /// Volume of the broth.
    pub volume: N,
    /// Medium that flows in, per time.
    pub medium: N,
    /// All that flows out, per time.
    pub out: N,
    /// What is collected, volume per time.
    pub harvest: N,
    /// Medium per volume of broth and time: the dilution rate.
    pub dilution: N,
    /// Product collected per time.
    pub collected: N,
    /// Product that leaves in all flows, per time.
    pub leaving: N,
    /// Product in the broth, per volume.
    pub titre: Option<N>,
    /// Product in what is collected, per volume.
    pub harvested_titre: Option<N>,
    /// Living cells, per volume.
    pub cells: Option<N>,
    /// Product collected per volume and time.
    pub per_volume: Option<N>,
    /// Product collected per volume of medium.
    pub per_medium: Option<N>,
    /// Product collected per living cells and time.
    pub per_cell: Option<N>,
    /// Medium per living cells and time.
    pub perfusion_per_cell: Option<N>,
    /// Mean time that product stays in the broth.
    pub residence: Option<N>,
}

impl<N: Copy> Measures<N> {
    /// One of them.
    #[must_use]
    pub fn of(&self, measure: Measure) -> Option<N> {
        match measure {
            Measure::PerVolume => self.per_volume,
            Measure::PerMedium => self.per_medium,
            Measure::PerCell => self.per_cell,
        }
    }
}

/// A flow of the model.
#[derive(Debug, Clone)]
pub(super) struct Flow {
    pub(super) name: String,
    pub(super) inward: bool,
    /// Place of its value among the quantities, and what makes it the model's volume per time.
    quantity: usize,
    factor: f64,
    /// Place of the share of the product that passes with it; none: all.
    passes_product: Option<usize>,
    pub(super) medium: bool,
    pub(super) harvest: bool,
}

/// A continuous culture.
#[derive(Debug, Clone)]
pub struct Reactor {
    /// The model with its flows among its quantities.
    pub model: Model,
    pub(super) flows: Vec<Flow>,
    pub(super) volume: usize,
    pub(super) product: Option<usize>,
    /// Quantities of living cells.
    pub(super) cells: Vec<usize>,
    /// States of living cells.
    pub(super) cell_states: Vec<usize>,
    /// State of the product.
    pub(super) product_state: Option<usize>,
    product_name: Option<String>,
    /// Latest instant of a table.
    pub(super) settled_from: f64,
}

fn flow_of(stream: &str) -> String {
    format!("flow_of_{stream}")
}

fn passes(stream: &str, species: &str) -> String {
    format!("passes_{stream}_{species}")
}

/// Integrals over time: medium that flowed in, and product that was collected.
pub(super) const MEDIUM_IN: &str = "medium_given_in_all";
pub(super) const COLLECTED: &str = "product_collected_in_all";

fn unknown(field: &str, name: &str, known: &[&str]) -> Error {
    let names = if known.is_empty() { "—".to_owned() } else { known.join(", ") };
    Error::not_found("E-CONTINUOUS-001", format!("«{name}» はモデルにありません"), format!("the model has no «{name}» for this"))
        .at(Place::field(field))
        .hint(format!("選べるもの: {names}"), format!("there are: {names}"))
}

/// The file with flows and what passes with them as further quantities; with `integrals` also what they sum up to.
pub(super) fn countable(file: &File, roles: &Roles, integrals: bool) -> Result<File> {
    let mut out = file.clone();
    let formula = |expression: String, unit: &str| crate::model::Formula {
        expression,
        unit: unit.to_owned(),
        label: Some(Text::new("流量の内訳", "Part of a flow")),
    };
    let (mut medium, mut collected): (Vec<String>, Vec<String>) = (Vec::new(), Vec::new());
    let harvests = harvests(file, roles);
    for (name, stream) in &file.stream {
        let Some(flow) = stream.inflow.as_ref().or(stream.outflow.as_ref()) else { continue };
        out.observe.insert(flow_of(name), formula(flow.clone(), &stream.unit));
        for (species, share) in &stream.retains {
            out.observe.insert(passes(name, species), formula(format!("1 - ({share})"), "1"));
        }
        if stream.inflow.is_some() && (roles.medium.is_empty() || roles.medium.contains(name)) {
            medium.push(format!("({flow})"));
        }
        if let (true, Some(product)) = (harvests.contains(&name.as_str()), &roles.product) {
            let share = stream.retains.get(product).map_or_else(String::new, |kept| format!(" * (1 - ({kept}))"));
            collected.push(format!("({flow}){share} * {product}"));
        }
    }
    if integrals {
        let state = |rate: &[String], unit: &Unit| crate::model::State {
            unit: unit.code().to_owned(),
            initial: crate::model::Start::Number(0.0),
            rate: (!rate.is_empty()).then(|| rate.join(" + ")),
            label: None,
        };
        let volume = Unit::parse(&file.vessel.unit)?;
        out.state.insert(MEDIUM_IN.to_owned(), state(&medium, &volume));
        if let Some(species) = roles.product.as_ref().and_then(|p| file.species.get(p)) {
            let amount = Unit::parse(&species.unit)?.times(&volume)?;
            out.state.insert(COLLECTED.to_owned(), state(&collected, &amount));
        }
    }
    Ok(out)
}

/// Outflows that are collected.
fn harvests<'f>(file: &'f File, roles: &Roles) -> Vec<&'f str> {
    let out = || file.stream.iter().filter(|(_, s)| s.outflow.is_some());
    let keeps = out().any(|(_, s)| !s.retains.is_empty());
    let chosen = |name: &str, retains: bool| {
        if roles.harvest.is_empty() { !keeps || retains } else { roles.harvest.iter().any(|h| h == name) }
    };
    out().filter(|(name, s)| chosen(name, !s.retains.is_empty())).map(|(name, _)| name.as_str()).collect()
}

impl Reactor {
    /// A continuous culture of a model file.
    ///
    /// # Errors
    /// Faults of the file; roles that name what the model does not have.
    pub fn new(file: &File, roles: &Roles) -> Result<Self> {
        let species: Vec<&str> = file.species.keys().map(String::as_str).collect();
        for (field, name) in [("product", &roles.product), ("cells", &roles.cells)] {
            if let Some(name) = name.as_ref().filter(|n| !file.species.contains_key(*n)) {
                return Err(unknown(field, name, &species));
            }
        }
        let outward = |inward: bool| -> Vec<&str> {
            file.stream
                .iter()
                .filter(|(_, s)| if inward { s.inflow.is_some() } else { s.outflow.is_some() })
                .map(|(n, _)| n.as_str())
                .collect()
        };
        for (field, names, known) in [("harvest", &roles.harvest, outward(false)), ("medium", &roles.medium, outward(true))] {
            if let Some(name) = names.iter().find(|n| !known.contains(&n.as_str())) {
                return Err(unknown(field, name, &known));
            }
        }
        let model = compile(&countable(file, roles, false)?)?;
        let mut it = Self {
            flows: Vec::new(),
            volume: model.system.quantity(VOLUME)?,
            product: roles.product.as_ref().map(|p| model.system.quantity(p)).transpose()?,
            cells: Vec::new(),
            cell_states: Vec::new(),
            product_state: None,
            product_name: roles.product.clone(),
            settled_from: file.profile.values().flat_map(|p| p.at.iter().copied()).fold(0.0, f64::max),
            model,
        };
        let harvests = harvests(file, roles);
        let per_time = it.model.described(VOLUME).map_or_else(Unit::one, |d| d.unit.clone()).per(&it.model.time)?;
        for (name, stream) in &file.stream {
            let quantity = it.model.system.quantity(&flow_of(name))?;
            let share = |species: &str| it.model.system.quantity(&passes(name, species)).ok();
            let inward = stream.inflow.is_some();
            it.flows.push(Flow {
                name: name.clone(),
                inward,
                quantity,
                factor: Unit::parse(&stream.unit)?.convert(1.0, &per_time)?,
                passes_product: roles.product.as_deref().and_then(share),
                medium: inward && (roles.medium.is_empty() || roles.medium.contains(name)),
                harvest: harvests.contains(&name.as_str()),
            });
        }
        let cells = match &roles.cells {
            Some(name) => vec![name.clone()],
            None => it.growing(file)?,
        };
        it.cells = cells.iter().map(|c| it.model.system.quantity(c)).collect::<Result<_>>()?;
        it.product_state = roles.product.as_deref().and_then(|p| it.state_of(p));
        it.cell_states = cells.iter().filter_map(|c| it.state_of(c)).collect();
        Ok(it)
    }

    /// The state behind a species.
    pub(super) fn state_of(&self, species: &str) -> Option<usize> {
        let quantity = self.model.system.quantity(&format!("{species}·V")).ok()?;
        self.model.system.states().iter().position(|s| *s == quantity)
    }

    /// Species that no stream brings, that do not come about where there are none, and that grow where there are some.
    fn growing(&self, file: &File) -> Result<Vec<String>> {
        let mut still = self.model.system.still(&self.model.system.constants(), self.settled_from)?;
        let start = still.start().to_vec();
        let quantities = still.quantities(&start);
        let out = self.measures(&quantities).out;
        let volume = quantities[self.volume];
        let mut found = Vec::new();
        for name in file.species.keys() {
            let brought = file.stream.values().any(|s| s.contains.contains_key(name));
            let Some(state) = self.state_of(name).filter(|_| !brought) else { continue };
            let mut none = start.clone();
            none[state] = 0.0;
            let from_nothing = still.rates(&none)[state];
            let here = still.rates(&start)[state];
            let leaves = if volume > 0.0 { out / volume * start[state] } else { 0.0 };
            if from_nothing == 0.0 && start[state] > 0.0 && here + leaves > 1e-9 * (here.abs() + leaves) {
                found.push(name.clone());
            }
        }
        Ok(found)
    }

    /// Names of the living cells.
    #[must_use]
    pub fn cells(&self) -> Vec<&str> {
        self.cells.iter().map(|c| &*self.model.system.names()[*c]).collect()
    }

    /// Names of the flows that are collected.
    #[must_use]
    pub fn harvested(&self) -> Vec<&str> {
        self.flows.iter().filter(|f| f.harvest).map(|f| f.name.as_str()).collect()
    }

    /// Flows and whether they run in, with their values at these quantities, in the model's volume per time.
    #[must_use]
    pub fn flows(&self, quantities: &[f64]) -> Vec<(&str, bool, f64)> {
        self.flows.iter().map(|f| (f.name.as_str(), f.inward, quantities[f.quantity] * f.factor)).collect()
    }

    /// Unit of the product's amount, of the volume and of time.
    ///
    /// # Errors
    /// Units that make none together.
    pub fn units(&self) -> Result<(Option<Unit>, Unit, Unit)> {
        let unit = |name: &str| self.model.described(name).map_or_else(Unit::one, |d| d.unit.clone());
        let volume = unit(VOLUME);
        let amount = self.product_name.as_ref().map(|p| unit(p).times(&volume)).transpose()?;
        Ok((amount, volume, self.model.time.clone()))
    }

    /// Everything that is observed and that people named: attributes of quality among them.
    #[must_use]
    pub fn observed(&self) -> Vec<&str> {
        let of_flows = |name: &str| name.starts_with("flow_of_") || name.starts_with("passes_");
        let shown = |d: &&crate::model::Described| d.kind == Kind::Observed && !of_flows(&d.name);
        self.model.described.iter().filter(shown).map(|d| d.name.as_str()).collect()
    }

    /// What flows, is collected and is made at these quantities.
    #[must_use]
    pub fn measures<N: Number>(&self, quantities: &[N]) -> Measures<N> {
        let zero = N::of(0.0);
        let volume = quantities[self.volume];
        let titre = self.product.map(|p| quantities[p]);
        let mut it = Measures {
            volume,
            medium: zero,
            out: zero,
            harvest: zero,
            dilution: zero,
            collected: zero,
            leaving: zero,
            titre,
            harvested_titre: None,
            cells: None,
            per_volume: None,
            per_medium: None,
            per_cell: None,
            perfusion_per_cell: None,
            residence: None,
        };
        for flow in &self.flows {
            let value = quantities[flow.quantity] * N::of(flow.factor);
            if flow.inward {
                if flow.medium {
                    it.medium = it.medium + value;
                }
                continue;
            }
            it.out = it.out + value;
            let passes = flow.passes_product.map_or(N::of(1.0), |p| quantities[p]);
            let product = value * passes * titre.unwrap_or(zero);
            it.leaving = it.leaving + product;
            if flow.harvest {
                it.harvest = it.harvest + value;
                it.collected = it.collected + product;
            }
        }
        it.dilution = it.medium / volume;
        let some = |of: N, by: N| (by.value() > 0.0).then(|| of / by);
        if !self.cells.is_empty() {
            it.cells = Some(self.cells.iter().fold(zero, |sum, c| sum + quantities[*c]));
        }
        if let Some(titre) = titre {
            it.harvested_titre = some(it.collected, it.harvest);
            it.per_volume = some(it.collected, volume);
            it.per_medium = some(it.collected, it.medium);
            it.residence = some(titre * volume, it.leaving);
            it.per_cell = it.cells.and_then(|x| some(it.collected, x * volume));
        }
        it.perfusion_per_cell = it.cells.and_then(|x| some(it.medium, x * volume));
        it
    }
}
