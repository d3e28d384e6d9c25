//! Two ways of working over one campaign: a continuous culture with its start-up, and batches with what lies between them.

use super::reactor::{COLLECTED, MEDIUM_IN, Roles, countable};
use crate::kernel::Options;
use crate::model::{File, Model, VOLUME, compile};
use crate::profile::Spread;
use toji_core::chance::Chance;
use toji_core::{Error, Place, Result, Unit};

/// A culture whose medium and product are summed up.
#[derive(Debug, Clone)]
pub struct Counted {
    /// The model with its sums.
    pub model: Model,
    volume: usize,
    product: usize,
    medium_in: usize,
    collected: usize,
    /// Unit of the product's amount.
    pub amount: Unit,
    /// Unit of the volume.
    pub volume_unit: Unit,
}

/// What one culture gave and took.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Yield {
    /// Product, in the unit of its amount.
    pub product: f64,
    /// Medium: that at the start and all that was given.
    pub medium: f64,
    /// Greatest volume of the broth.
    pub volume: f64,
}

/// One way of working over a campaign.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Way {
    /// Cultures in the campaign.
    pub cultures: f64,
    /// Product in all.
    pub product: f64,
    /// Medium in all.
    pub medium: f64,
    /// Product per volume of vessel and time of the whole campaign, in the model's units.
    pub per_volume: f64,
    /// Product per volume of medium.
    pub per_medium: f64,
}

/// Points at which the volume is looked at.
const LOOKS: usize = 100;

impl Counted {
    /// Makes the sums of a model countable.
    ///
    /// # Errors
    /// Faults of the file; no product, or one that the model does not have.
    pub fn new(file: &File, roles: &Roles) -> Result<Self> {
        let Some(product) = roles.product.as_ref().filter(|p| file.species.contains_key(*p)) else {
            let names = file.species.keys().cloned().collect::<Vec<_>>().join(", ");
            return Err(Error::not_found(
                "E-CONTINUOUS-001",
                "比べるには、両方のモデルにある生産物の種が必要です",
                "a comparison needs a product that is a species of both models",
            )
            .at(Place::field("product"))
            .hint(format!("このモデルの種: {names}"), format!("species of this model: {names}")));
        };
        let model = compile(&countable(file, roles, true)?)?;
        let volume_unit = Unit::parse(&file.vessel.unit)?;
        let amount = model.described(product).map_or_else(Unit::one, |d| d.unit.clone()).times(&volume_unit)?;
        Ok(Self {
            volume: model.system.quantity(VOLUME)?,
            product: model.system.quantity(product)?,
            medium_in: model.system.quantity(MEDIUM_IN)?,
            collected: model.system.quantity(COLLECTED)?,
            amount,
            volume_unit,
            model,
        })
    }

    /// A culture until a time. Product is what was collected between `from` and the end; where nothing is collected on the
    /// way, what is in the broth at the end.
    ///
    /// # Errors
    /// What the simulation meets.
    pub fn run(&self, constants: &[f64], from: f64, until: f64) -> Result<Yield> {
        let from = from.clamp(0.0, until);
        let mut times: Vec<f64> = (0..=LOOKS).map(|i| until * i as f64 / LOOKS as f64).chain([from]).collect();
        times.sort_by(f64::total_cmp);
        let at = times.iter().position(|t| *t >= from).unwrap_or(0);
        let options = Options { relative: 1e-8, absolute: vec![1e-10], ..Options::default() };
        let course = self.model.system.simulate(constants, &times, &options)?;
        let (first, last) = (course.at(0), course.at(times.len() - 1));
        let collected = last[self.collected] - course.at(at)[self.collected];
        let product = if last[self.collected] > 0.0 { collected } else { last[self.product] * last[self.volume] };
        // What events added stands in the volume alone.
        let given = last[self.medium_in].max(last[self.volume] - first[self.volume]);
        let volume = course.of(self.volume).fold(0.0, f64::max);
        Ok(Yield { product, medium: first[self.volume] + given, volume })
    }
}

/// One culture over a campaign of `length`, all in the model's time.
#[must_use]
pub fn once(it: &Yield, length: f64) -> Way {
    Way {
        cultures: 1.0,
        product: it.product,
        medium: it.medium,
        per_volume: it.product / (it.volume * length),
        per_medium: it.product / it.medium,
    }
}

/// As many whole batches as fit into a campaign, each with its turnaround.
#[must_use]
pub fn batches(it: &Yield, batch: f64, turnaround: f64, length: f64) -> Way {
    // A whole number of cycles is not lost to rounding.
    let cultures = (length / (batch + turnaround) + 1e-9).floor();
    Way {
        cultures,
        product: cultures * it.product,
        medium: cultures * it.medium,
        per_volume: cultures * it.product / (it.volume * length),
        per_medium: if cultures > 0.0 { it.product / it.medium } else { 0.0 },
    }
}

/// Factors on constants that are not quite known, of one draw: their logarithms are normal.
pub fn drawn<'s>(spreads: &'s [Spread], chance: &mut Chance) -> Vec<(&'s str, f64)> {
    spreads.iter().map(|s| (s.name.as_str(), libm::exp(s.relative * chance.normal()))).collect()
}
