//! What the recipe says: the value of every input at every time, and in which phases the controller may act.

/// A phase of a recipe.
#[derive(Debug, Clone, PartialEq)]
pub struct Phase {
    /// Name.
    pub name: String,
    /// Beginning.
    pub from: f64,
    /// End; it does not belong to the phase.
    pub until: f64,
    /// Inputs that the controller may move.
    pub acts: Vec<String>,
}

/// A recipe: what is done where nobody decides otherwise. It is the safe control.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Recipe {
    /// Of each input, in their order: times, and the value from each on. Nothing before the first.
    pub inputs: Vec<Vec<(f64, f64)>>,
    /// Phases; the first that contains a time counts. Outside of all the recipe is followed.
    pub phases: Vec<Phase>,
}

impl Recipe {
    /// The same value at all times.
    #[must_use]
    pub fn fixed(values: &[f64]) -> Self {
        Self { inputs: values.iter().map(|v| vec![(0.0, *v)]).collect(), phases: Vec::new() }
    }

    /// Values of the inputs at a time.
    #[must_use]
    pub fn at(&self, time: f64) -> Vec<f64> {
        self.inputs.iter().map(|it| it.iter().take_while(|(at, _)| *at <= time).last().map_or(0.0, |(_, value)| *value)).collect()
    }

    /// The phase of a time.
    #[must_use]
    pub fn phase(&self, time: f64) -> Option<&Phase> {
        self.phases.iter().find(|p| (p.from..p.until).contains(&time))
    }
}
