//! Frames from the simulated plant: time passes at a chosen speed, and every period each vessel says what its
//! devices measure.

use super::feed::{Frame, Line, Sample};
use super::make::{Make, Order};
use crate::clock::now_ns;
use std::sync::{Arc, Mutex, PoisonError};
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

/// A plant between its devices: time passes for it in [`pass`], and any device may tell it something in between.
/// A device's answer is the plant's own: a command that is taken is done.
#[derive(Debug, Clone)]
pub struct Desk(Arc<Mutex<Plant>>);

impl Desk {
    /// A desk before this plant.
    #[must_use]
    pub fn new(plant: Plant) -> Self {
        Self(Arc::new(Mutex::new(plant)))
    }

    /// Looks at the plant, or changes it.
    pub fn with<R>(&self, see: impl FnOnce(&mut Plant) -> R) -> R {
        see(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Does what a client orders of a vessel, in the words of the device's maker.
    ///
    /// # Errors
    /// Words the device does not know, values out of range, a batch that has ended.
    pub fn order(&self, reactor: usize, make: Make, order: &Order, reason: Option<&str>) -> toji_core::Result<()> {
        let command = make.command(order)?;
        self.with(|plant| plant.command(reactor, command, reason))
    }
}

/// The vessels of a plant as devices of make A declare them.
#[must_use]
pub fn lines(plant: &Plant) -> Arc<Vec<Line>> {
    lines_of(plant, Make::A)
}

/// The vessels of a plant as devices of a maker declare them.
#[must_use]
pub fn lines_of(plant: &Plant, make: Make) -> Arc<Vec<Line>> {
    let channels: Vec<_> = Plant::signals().iter().map(|info| make.channel(info)).collect();
    let line = |reactor: usize| Line {
        vessel: plant.reactor_name(reactor).unwrap_or_default().to_owned(),
        batch: plant.batch(reactor).unwrap_or_default().to_owned(),
        make,
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
    Frame { line: reactor, t_ns, stage: plant.stage(reactor), samples: readings.iter().map(sample).collect() }
}

/// Lets time pass and hands every frame to every device; a device that is slow holds all up, so that none
/// misses one. `told` hears the simulated seconds that have passed.
pub async fn drive(
    plant: Plant,
    pace: Pace,
    devices: Vec<mpsc::Sender<Arc<Frame>>>,
    stop: CancellationToken,
    told: impl FnMut(f64) + Send,
) -> Plant {
    let desk = Desk::new(plant);
    pass(&desk, pace, devices, stop, told).await;
    desk.with(|plant| plant.clone())
}

/// As [`drive`], for a plant that devices may tell something while time passes.
pub async fn pass(
    desk: &Desk,
    pace: Pace,
    devices: Vec<mpsc::Sender<Arc<Frame>>>,
    stop: CancellationToken,
    mut told: impl FnMut(f64) + Send,
) {
    let period_s = if pace.period_s.is_finite() { pace.period_s.max(0.001) } else { 1.0 };
    let real_s = (period_s / pace.speed.max(1e-6)).clamp(1e-4, 3600.0);
    let real = Duration::from_secs_f64(real_s);
    let mut tick = interval_at(Instant::now() + real, real);
    tick.set_missed_tick_behavior(MissedTickBehavior::Burst);
    let mut elapsed_s = desk.with(|plant| plant.elapsed_s());
    while elapsed_s < pace.lasts_s {
        tokio::select! {
            _ = tick.tick() => {}
            () = stop.cancelled() => break,
        }
        let frames = desk.with(|plant| {
            plant.step(period_s);
            elapsed_s = plant.elapsed_s();
            (0..plant.reactors()).map(|reactor| Arc::new(frame(plant, reactor))).collect::<Vec<_>>()
        });
        for frame in frames {
            for device in &devices {
                if device.send(frame.clone()).await.is_err() {
                    return;
                }
            }
        }
        told(elapsed_s);
    }
}

/// The present, where a plant in real time begins.
#[must_use]
pub fn present() -> toji_core::Instant {
    toji_core::Instant(now_ns())
}
