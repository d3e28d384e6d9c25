//! Many simulations of one model: eight side by side, on as many threads as there are, with the same result on any
//! number of them.

use super::number::Lanes;
use super::simulate::{Options, Trajectory};
use super::system::System;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use toji_core::Result;

/// Simulations side by side.
const WIDTH: usize = 8;

impl System {
    /// Simulates with each of these settings of the constants; what one gives does not depend on the others failing.
    ///
    /// Groups are formed by the order of the settings, so that the number of threads changes nothing.
    pub fn ensemble(
        &self,
        settings: &[Vec<f64>],
        times: &[f64],
        options: &Options,
        threads: usize,
    ) -> Vec<Result<Trajectory<f64>>> {
        let groups: Vec<&[Vec<f64>]> = settings.chunks(WIDTH).collect();
        let done: Vec<Mutex<Vec<Result<Trajectory<f64>>>>> = groups.iter().map(|_| Mutex::new(Vec::new())).collect();
        let next = AtomicUsize::new(0);
        let work = || {
            loop {
                let i = next.fetch_add(1, Ordering::Relaxed);
                let Some(group) = groups.get(i) else { break };
                *done[i].lock().unwrap_or_else(PoisonError::into_inner) = self.group(group, times, options);
            }
        };
        std::thread::scope(|scope| {
            for _ in 1..threads.clamp(1, groups.len().max(1)) {
                scope.spawn(work);
            }
            work();
        });
        done.into_iter().flat_map(|group| group.into_inner().unwrap_or_else(PoisonError::into_inner)).collect()
    }

    fn group(&self, group: &[Vec<f64>], times: &[f64], options: &Options) -> Vec<Result<Trajectory<f64>>> {
        let width = self.constants().len();
        let fits = group.len() == WIDTH && group.iter().all(|g| g.len() == width);
        if fits && self.may_run_side_by_side() {
            let constants: Vec<Lanes<WIDTH>> = (0..width).map(|c| Lanes(std::array::from_fn(|l| group[l][c]))).collect();
            // Where the ways part, or one of them fails, each goes alone.
            if let Ok(together) = self.simulate(&constants, times, options) {
                return (0..WIDTH).map(|l| Ok(together.map(|value| value.0[l]))).collect();
            }
        }
        group.iter().map(|constants| self.simulate(constants, times, options)).collect()
    }
}
