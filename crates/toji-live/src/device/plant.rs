//! Frames from the simulated plant: time passes at a chosen speed, and every period each vessel says what its
//! devices measure.

use super::feed::{Channel, Frame, Line, Sample};
use crate::clock::now_ns;
use std::sync::Arc;
use std::time::Duration;
use toji_plant::Plant;
use tokio::sync::mpsc;
use tokio::time::{Instant, MissedTickBehavior, interval_at};
use tokio_util::sync::CancellationToken;

/// How time passes.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Pace {
    /// Seconds of simulated time from frame to frame.
    pub period_s: f64,
    /// Simulated seconds a real second; 1 is real time.
    pub speed: f64,
    /// Simulated seconds in all.
    pub lasts_s: f64,
}

/// The vessels of a plant as devices declare them.
#[must_use]
pub fn lines(plant: &Plant) -> Arc<Vec<Line>> {
    let channels: Vec<Channel> = Plant::signals()
        .iter()
        .map(|info| Channel {
            key: info.key.to_owned(),
            unit: info.raw_unit.to_owned(),
            variable: info.variable.map(str::to_owned),
            origin: info.origin,
        })
        .collect();
    let line = |reactor: usize| Line {
        vessel: plant.reactor_name(reactor).unwrap_or_default().to_owned(),
        batch: plant.batch(reactor).unwrap_or_default().to_owned(),
        channels: channels.clone(),
    };
    Arc::new((0..plant.reactors()).map(line).collect())
}

/// What a vessel says now.
#[must_use]
pub fn frame(plant: &Plant, reactor: usize) -> Frame {
    let readings = plant.read(reactor);
    let t_ns = readings.first().map_or(0, |r| r.t_ns);
    let sample = |r: &toji_plant::Reading| Sample {
        channel: r.signal.index(),
        digits: r.value.map(|v| format!("{v:.*}", usize::from(plant.digits(reactor, r.signal)))),
        good: r.quality.is_good(),
    };
    Frame { line: reactor, t_ns, samples: readings.iter().map(sample).collect() }
}

/// Lets time pass and hands every frame to every device; a device that is slow holds all up, so that none
/// misses one. `told` hears the simulated seconds that have passed.
pub async fn drive(
    mut plant: Plant,
    pace: Pace,
    devices: Vec<mpsc::Sender<Arc<Frame>>>,
    stop: CancellationToken,
    mut told: impl FnMut(f64) + Send,
) -> Plant {
    let period_s = if pace.period_s.is_finite() { pace.period_s.max(0.001) } else { 1.0 };
    let real_s = (period_s / pace.speed.max(1e-6)).clamp(1e-4, 3600.0);
    let real = Duration::from_secs_f64(real_s);
    let mut tick = interval_at(Instant::now() + real, real);
    tick.set_missed_tick_behavior(MissedTickBehavior::Burst);
    while plant.elapsed_s() < pace.lasts_s {
        tokio::select! {
            _ = tick.tick() => {}
            () = stop.cancelled() => break,
        }
        plant.step(period_s);
        for reactor in 0..plant.reactors() {
            let frame = Arc::new(frame(&plant, reactor));
            for device in &devices {
                if device.send(frame.clone()).await.is_err() {
                    return plant;
                }
            }
        }
        told(plant.elapsed_s());
    }
    plant
}

/// The present, where a plant in real time begins.
#[must_use]
pub fn present() -> toji_core::Instant {
    toji_core::Instant(now_ns())
}
