//! Many simulations of one model: eight side by side, each on its own way, on as many threads as there are, each with the
//! bits that it gives alone.

use super::simulate::{Options, Trajectory};
use super::system::System;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use toji_core::Result;

/// Simulations side by side.
const WIDTH: usize = 8;
/// Fewer of them are faster one by one.
const SIDE_MIN: usize = 3;
/// Most settings that one thread takes at once.
const GROUP_MAX: usize = 128;

impl System {
    /// Simulates with each of these settings of the constants; what one gives does not depend on the others failing.
    ///
    /// Each gives the bits that [`Self::simulate`] gives, on any number of threads.
    pub fn ensemble(
        &self,
        settings: &[Vec<f64>],
        times: &[f64],
        options: &Options,
        threads: usize,
    ) -> Vec<Result<Trajectory<f64>>> {
        let size = settings.len().div_ceil(4 * threads.max(1)).clamp(WIDTH, GROUP_MAX);
        let groups: Vec<&[Vec<f64>]> = settings.chunks(size).collect();
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
        if group.len() >= SIDE_MIN && self.order() > 0 {
            return self.side_by_side::<WIDTH>(group, times, options);
        }
        group.iter().map(|constants| self.simulate(constants, times, options)).collect()
    }
}
