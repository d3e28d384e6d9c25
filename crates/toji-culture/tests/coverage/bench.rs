//! The benchmark of coverage: a simulated CHO fed-batch whose runs differ in ways the model may and may not know, and
//! real runs of *E. coli* in ambr250 vessels.

use toji_core::chance::Chance;
use toji_core::special::chi2_quantile;
use toji_culture::fit::{Parameter, Posterior, Scale};
use toji_culture::kernel::Options;
use toji_culture::model::{Model, shipped};
use toji_culture::predict::{Aim, Course, Expected, Individual, Method, Population, Predictor, Sensor, band, promise, score};

/// Level of all intervals of the study.
pub(crate) const LEVEL: f64 = 0.9;

fn sensor(quantity: &str, sd: f64, share: f64) -> Sensor {
    Sensor { quantity: quantity.into(), sd, share }
}

fn log(name: &str, low: f64, high: f64) -> Parameter {
    Parameter { name: name.into(), scale: Scale::Log, low, high, prior: None, by_group: true }
}

/// `cho-mab-fed-batch` with what is fitted of it.
pub(crate) fn model() -> Model {
    Model::read(shipped("cho-mab-fed-batch").unwrap()).unwrap()
}

/// Cells, glucose, lactate and titre.
pub(crate) fn predictor(model: &Model) -> Predictor<'_> {
    Predictor {
        system: &model.system,
        parameters: vec![log("mu_max", 0.02, 0.08), log("Q_mAb", 0.4, 6.0), log("Y_lac_glc", 0.2, 1.6), log("m_glc", 0.01, 0.4)],
        sensors: vec![sensor("Xv", 0.02, 0.06), sensor("Glc", 0.4, 0.03), sensor("Lac", 0.3, 0.04), sensor("mAb", 5.0, 0.05)],
        options: Options { relative: 1e-5, absolute: vec![1e-7], ..Options::default() },
        draws: 40,
        seed: 17,
        threads: 1,
    }
}

/// A run of the hidden truth: its recipe is known; what its cells are like, what really was inoculated and what really
/// is in the feed are not, and the model knows nothing of the latter two.
pub(crate) fn run(predictor: &Predictor<'_>, name: String, chance: &mut Chance) -> Course {
    let system = predictor.system;
    let mut between = |low: f64, high: f64| low + (high - low) * chance.uniform();
    let mut set = vec![
        ("Xv_0".to_owned(), between(0.35, 0.7)),
        ("Glc_0".to_owned(), between(30.0, 45.0)),
        ("Glc_feed".to_owned(), between(330.0, 450.0)),
    ];
    for (i, flow) in [0.10, 0.20, 0.25, 0.25].into_iter().enumerate() {
        set.push((format!("F_{}", i + 2), flow * between(0.85, 1.15)));
    }
    let mut constants = system.constants();
    for (name, value) in &set {
        constants[system.constant(name).unwrap()] = *value;
    }
    for (name, sd) in [
        ("mu_max", 0.04),
        ("Q_mAb", 0.08),
        ("Y_lac_glc", 0.07),
        ("m_glc", 0.10),
        ("Xv_0", 0.04),
        ("Glc_feed", 0.02),
        ("k_d", 0.2),
    ] {
        constants[system.constant(name).unwrap()] *= (sd * chance.normal()).exp();
    }
    let times: Vec<f64> = (0..=7).map(|i| 48.0 * f64::from(i)).collect();
    let trajectory = system.simulate(&constants, &times, &predictor.options).unwrap();
    let read = predictor.sensors.iter().map(|s| {
        let place = system.quantity(&s.quantity).unwrap();
        let values: Vec<f64> = trajectory.of(place).collect();
        values.iter().enumerate().map(|(i, v)| (i > 0).then(|| v + s.at(*v) * chance.normal())).collect()
    });
    let read = read.collect();
    Course { name, set, times, read }
}

/// Outcomes of one repeat: did the interval hold, of each new run.
#[derive(Debug, Default, Clone)]
pub(crate) struct Held {
    /// Titre, and all readings of a course at once.
    pub(crate) titre: Vec<bool>,
    pub(crate) course: Vec<bool>,
    /// Does a course stay with those that calibrate, run by run: what the band is the hull of.
    pub(crate) course_counted: Vec<bool>,
    /// The same by the posterior predictive alone, with normal quantiles reading by reading.
    pub(crate) titre_alone: Vec<bool>,
    pub(crate) course_alone: Vec<bool>,
    /// Width of the titre's interval over its middle.
    pub(crate) width: Vec<f64>,
}

/// One repeat with `n` runs and some new ones.
pub(crate) fn repeat(predictor: &Predictor<'_>, n: usize, new: usize, seed: u64) -> Held {
    let mut chance = Chance::new(seed);
    let courses: Vec<Course> = (0..n).map(|i| run(predictor, format!("r{i}"), &mut chance)).collect();
    let alone: Vec<Posterior> = courses.iter().map(|c| predictor.alone(c, 1).unwrap()).collect();
    let calibration = predictor.calibrate(&courses, &alone).unwrap();
    let titre = Aim::Last(3);
    let mut held = Held::default();
    for i in 0..new {
        let test = run(predictor, format!("new{i}"), &mut chance);
        let expected = predictor.of_recipe(&calibration, &test.set, &test.times).unwrap();
        for (aim, held, alone) in
            [(&titre, &mut held.titre, &mut held.titre_alone), (&Aim::All, &mut held.course, &mut held.course_alone)]
        {
            let band = calibration.band(aim, &expected, LEVEL).unwrap();
            let read = aim.read(&test.read);
            held.push(band.holds(&read).unwrap());
            alone.push(score(&aim.expected(&expected[0]), &read).unwrap() <= 1.644_853_627);
        }
        held.course_counted.push(calibration.stays(&Aim::All, &expected, &test.read, LEVEL).unwrap());
        let band = calibration.band(&titre, &expected, LEVEL).unwrap();
        held.width.push((band.high[0] - band.low[0]) / (0.5 * (band.high[0] + band.low[0])));
    }
    held
}

/// Growth on an exponential feed that slackens, and a product made by the cells: what is needed of the real runs.
const REAL: &str = r#"
[model]
id = "feed-phase"
title = { ja = "指数流加期の増殖と生産", en = "Growth and production on an exponential feed" }
source = "Growth by a rate that falls exponentially with time, product by the cells: a description of 60 hours, not a mechanism"
time = "h"
[vessel]
volume = 0.1
unit = "L"
[constant]
X_0 = { value = 10, unit = "g/L" }
mu_0 = { value = 0.05, unit = "/h" }
fade = { value = 0.01, unit = "/h" }
P_0 = { value = 0.5, unit = "g/L" }
q_P = { value = 0.001, unit = "g/(g.h)" }
[species]
X = { unit = "g/L", initial = "X_0" }
P = { unit = "g/L", initial = "P_0" }
[reaction.growth]
rate = "mu_0 * exp(-fade * time) * X"
unit = "g/(L.h)"
makes = { X = "1" }
[reaction.production]
rate = "q_P * X"
unit = "g/(L.h)"
makes = { P = "1" }
"#;

/// A real run.
#[derive(Debug, Clone)]
pub(crate) struct Real {
    pub(crate) strain: String,
    pub(crate) course: Course,
}

/// The twelve runs, from the beginning of the feed.
pub(crate) fn real(text: &str) -> Vec<Real> {
    let mut runs: Vec<Real> = Vec::new();
    for line in text.lines().filter(|l| !l.starts_with('#')).skip(1) {
        let cells: Vec<&str> = line.split(',').collect();
        let hours: f64 = cells[3].parse().unwrap();
        // The sample taken just before the feed is the start.
        if hours < -1.0 {
            continue;
        }
        if runs.last().is_none_or(|r| r.course.name != cells[0]) {
            let read = vec![Vec::new(), Vec::new()];
            let course = Course { name: cells[0].into(), set: Vec::new(), times: Vec::new(), read };
            runs.push(Real { strain: cells[1].into(), course });
        }
        let course = &mut runs.last_mut().unwrap().course;
        course.times.push(hours.max(0.0));
        course.read[0].push(cells[4].parse().ok());
        course.read[1].push(cells[5].parse().ok());
    }
    runs
}

/// What leaving each run out gave, by sensor: held or not at the end and over the course, or none where so few runs
/// promise nothing.
#[derive(Debug, Default, Clone)]
pub(crate) struct LeftOut {
    pub(crate) last: Vec<bool>,
    pub(crate) course: Vec<bool>,
    pub(crate) refused: usize,
    /// Runs that calibrated.
    pub(crate) runs: usize,
    /// By the posterior predictive alone, which no run vouches for: the last reading, all readings of a run one by one and
    /// held together, and every reading by itself.
    pub(crate) last_alone: Vec<bool>,
    pub(crate) course_alone: Vec<bool>,
    pub(crate) readings_alone: Vec<bool>,
}

/// Leaves each real run out. A run is expected to do what the other runs of its strain did; how far runs stray from that
/// is learnt from the runs of all strains that were read.
pub(crate) fn leave_real_out(runs: &[Real], quantity: usize, level: f64) -> LeftOut {
    let model = Model::read(REAL).unwrap();
    let linear = |name: &str, low: f64, high: f64| Parameter { scale: Scale::Linear, ..log(name, low, high) };
    let parameters = if quantity == 0 {
        vec![log("X_0", 5.0, 20.0), log("mu_0", 0.01, 0.2), linear("fade", -0.03, 0.06)]
    } else {
        vec![log("P_0", 0.05, 3.0), linear("q_P", -0.003, 0.01)]
    };
    // Cell dry weight is good to some 3 %; tryptophan by HPLC of a dense broth scatters by some 0.2 g/L.
    let (x, p) = (sensor("X", 0.1, 0.03), sensor("P", 0.15, 0.05));
    let predictor = Predictor {
        system: &model.system,
        parameters,
        sensors: vec![if quantity == 0 { x } else { p }],
        options: Options::default(),
        draws: 200,
        seed: 3,
        threads: 1,
    };
    let used: Vec<Real> = runs.iter().filter(|r| r.course.read[quantity].iter().any(Option::is_some)).cloned().collect();
    let courses: Vec<Course> =
        used.iter().map(|r| Course { read: vec![r.course.read[quantity].clone()], ..r.course.clone() }).collect();
    // Cells at the time of the feed do not make the product depend on a fit of their growth: each run's own growth is its
    // recipe.
    let courses: Vec<Course> = courses.into_iter().zip(&used).map(|(c, r)| with_growth(c, r, quantity)).collect();
    let alone: Vec<Posterior> = courses.iter().map(|c| predictor.alone(c, 4).unwrap()).collect();
    let individual = |i: usize| Individual { at: alone[i].at.clone(), covariance: alone[i].covariance.clone() };
    let expected = |of: usize, without: &[usize]| -> Expected {
        let own: Vec<Individual> =
            (0..used.len()).filter(|i| used[*i].strain == used[of].strain && !without.contains(i)).map(individual).collect();
        let population = Population::of(&own.iter().collect::<Vec<_>>()).unwrap();
        predictor.expected(&population, &alone[of].unknowns, &courses[of].set, &courses[of].times).unwrap().remove(0)
    };
    let mut found = LeftOut { runs: used.len() - 1, ..LeftOut::default() };
    // Two-sided quantile of the normal distribution.
    let normal = chi2_quantile(level, 1.0).sqrt();
    for left in 0..used.len() {
        let told = expected(left, &[left]);
        let strays = |aim: &Aim| score(&aim.expected(std::slice::from_ref(&told)), &aim.read(&courses[left].read));
        found.last_alone.extend(strays(&Aim::Last(0)).map(|s| s <= normal));
        found.course_alone.extend(strays(&Aim::Sensor(0)).map(|s| s <= normal));
        for (read, (mean, spread)) in courses[left].read[0].iter().zip(told.mean.iter().zip(&told.spread)) {
            found.readings_alone.extend(read.map(|read| (read - mean).abs() <= normal * spread));
        }
        if promise(Method::JackknifePlus, used.len() - 1, level).rank.is_none() {
            found.refused += 1;
            continue;
        }
        let others: Vec<usize> = (0..used.len()).filter(|i| *i != left).collect();
        for (aim, held) in [(Aim::Last(0), &mut found.last), (Aim::Sensor(0), &mut found.course)] {
            let mut scores = Vec::new();
            let mut of_left = Vec::new();
            for i in &others {
                scores.push(score(&aim.expected(&[expected(*i, &[*i, left])]), &aim.read(&courses[*i].read)).unwrap());
                of_left.push(aim.expected(&[expected(left, &[*i, left])]));
            }
            let band = band(&scores, &of_left, level).unwrap();
            held.push(band.holds(&aim.read(&courses[left].read)).unwrap());
        }
    }
    found
}

fn with_growth(course: Course, run: &Real, quantity: usize) -> Course {
    if quantity == 0 {
        return course;
    }
    // Least squares of the logarithm of cells on time: X_0 and a constant rate with a fade by the curvature.
    let points: Vec<(f64, f64)> =
        run.course.times.iter().zip(&run.course.read[0]).filter_map(|(t, x)| x.map(|x| (*t, x.ln()))).collect();
    let (first, last) = (points[0], points[points.len() - 1]);
    let middle = points[points.len() / 2];
    let rate = |a: (f64, f64), b: (f64, f64)| (b.1 - a.1) / (b.0 - a.0);
    let (early, late) = (rate(first, middle), rate(middle, last));
    let fade = (early / late).ln() / (0.5 * (last.0 - first.0));
    let mu = early * (fade * 0.5 * (middle.0 - first.0)).exp();
    let set = vec![("X_0".to_owned(), first.1.exp()), ("mu_0".to_owned(), mu), ("fade".to_owned(), fade)];
    Course { set, ..course }
}
