//! A system at an instant, with no time passing: its rates, their slopes by the states, and all its quantities.

use super::number::Number;
use super::rodas::Slopes;
use super::simulate::Registers;
use super::system::System;
use crate::linear::Matrix;
use toji_core::{Error, Result};

/// A system at values of its constants and one instant.
pub struct Still<'s, N> {
    registers: Registers<'s, N>,
    start: Vec<N>,
    time: f64,
}

impl System {
    /// The system at these values of its constants (in the order of [`Self::constants`]) and this time.
    ///
    /// # Errors
    /// Not as many constants as the model has.
    pub fn still<N: Number>(&self, constants: &[N], time: f64) -> Result<Still<'_, N>> {
        if constants.len() != self.constants().len() || !time.is_finite() {
            return Err(Error::input(
                "E-SIM-001",
                "時刻は有限の数、定数はモデルの数だけ必要です",
                "the time must be finite, and there must be as many constants as the model has",
            ));
        }
        let (registers, start) = Registers::prepared(self, constants, time);
        Ok(Still { registers, start, time })
    }
}

impl<N: Number> Still<'_, N> {
    /// The state that the model starts from.
    #[must_use]
    pub fn start(&self) -> &[N] {
        &self.start
    }

    /// Change of every state per time.
    pub fn rates(&mut self, state: &[N]) -> Vec<N> {
        let mut rates = vec![N::of(0.0); state.len()];
        self.registers.slopes(N::of(self.time), state, &mut rates);
        rates
    }

    /// All quantities, in the order of [`System::names`].
    pub fn quantities(&mut self, state: &[N]) -> Vec<N> {
        let system = self.registers.system;
        let mut values = vec![N::of(0.0); system.names.len()];
        self.registers.run(&system.observed, N::of(self.time), state, &mut values);
        values
    }
}

impl Still<'_, f64> {
    /// Rates, their slopes by the states (row: rate, column: state), and their slopes in time.
    pub fn jacobian(&mut self, state: &[f64]) -> (Vec<f64>, Matrix, Vec<f64>) {
        let n = state.len();
        let (mut rates, mut in_time, mut matrix) = (vec![0.0; n], vec![0.0; n], Matrix::zeros(n, n));
        self.registers.jacobian(self.time, state, &mut rates, &mut in_time, matrix.as_mut_slice());
        (rates, matrix, in_time)
    }
}
