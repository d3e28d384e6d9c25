//! An optimum as a model file that anybody can simulate.

use super::task::Prepared;
use crate::model::File;

/// The model with the inputs as profiles over these intervals and the free constants set. `at` are the beginnings of the
/// intervals, or the nodes of lines.
#[must_use]
pub fn replay(prepared: &Prepared, end: f64, inputs: &[Vec<f64>], free: &[f64]) -> File {
    let mut file = prepared.file.clone();
    let intervals = prepared.task.intervals;
    for (control, values) in prepared.task.controls.iter().zip(inputs) {
        if let Some(profile) = file.profile.get_mut(&control.name) {
            profile.at = instants(end, intervals, values.len());
            profile.values.clone_from(values);
            profile.line = control.line;
        }
    }
    for (it, value) in prepared.task.free.iter().zip(free) {
        if let Some(constant) = file.constant.get_mut(&it.name) {
            (constant.value, constant.expression) = (Some(*value), None);
        }
    }
    file.model.id = format!("{}-optimised", file.model.id);
    file
}

/// Instants at which values of a profile begin.
pub(super) fn instants(end: f64, intervals: usize, count: usize) -> Vec<f64> {
    (0..count).map(|k| if k == intervals { end } else { end * k as f64 / intervals as f64 }).collect()
}
