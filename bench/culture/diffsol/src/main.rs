//! diffsol on the equations of model.py, started again at every event: `culture-diffsol METHOD SETTINGS.csv N KEEP RELATIVE
//! ABSOLUTE` (METHOD: bdf, tr-bdf2 or esdirk34) prints JSON. Jacobians are exact, by forward duals.

mod model {
    // Written by model.py: rates (generic in the number), bolus, INITIAL, START, PHASE, ADDED, OUTPUTS, END.
    include!(env!("CULTURE_MODEL"));
}

use diffsol::{
    DiffsolError, NalgebraLU, NalgebraMat, OdeBuilder, OdeEquations, OdeSolverMethod, OdeSolverStopReason, OdeSolverProblem, OdeEquationsImplicit, Vector, VectorCommon,
};
use model::{ADDED, END, INITIAL, OUTPUTS, PHASE, START, bolus, rates};
use std::ops::{Add, Div, Mul, Neg, Sub};

type M = NalgebraMat<f64>;
type Lu = NalgebraLU<f64>;

/// Numbers that the equations are written for.
pub trait Number: Copy + Neg<Output = Self> + Add<Output = Self> + Sub<Output = Self> + Mul<Output = Self> + Div<Output = Self> {
    fn of(value: f64) -> Self;
    fn exp(self) -> Self;
}

impl Number for f64 {
    fn of(value: f64) -> Self {
        value
    }
    fn exp(self) -> Self {
        f64::exp(self)
    }
}

/// A value and its change in one direction.
#[derive(Clone, Copy)]
struct Dual(f64, f64);

impl Number for Dual {
    fn of(value: f64) -> Self {
        Dual(value, 0.0)
    }
    fn exp(self) -> Self {
        let e = self.0.exp();
        Dual(e, e * self.1)
    }
}
impl Neg for Dual {
    type Output = Self;
    fn neg(self) -> Self {
        Dual(-self.0, -self.1)
    }
}
impl Add for Dual {
    type Output = Self;
    fn add(self, b: Self) -> Self {
        Dual(self.0 + b.0, self.1 + b.1)
    }
}
impl Sub for Dual {
    type Output = Self;
    fn sub(self, b: Self) -> Self {
        Dual(self.0 - b.0, self.1 - b.1)
    }
}
impl Mul for Dual {
    type Output = Self;
    fn mul(self, b: Self) -> Self {
        Dual(self.0 * b.0, self.1 * b.0 + self.0 * b.1)
    }
}
impl Div for Dual {
    type Output = Self;
    fn div(self, b: Self) -> Self {
        let q = self.0 / b.0;
        Dual(q, (self.1 - q * b.1) / b.0)
    }
}

/// CPU time of this process, in seconds.
fn cpu() -> f64 {
    let told = std::fs::read_to_string("/proc/self/schedstat").unwrap_or_default();
    told.split_whitespace().next().and_then(|v| v.parse::<f64>().ok()).unwrap_or(0.0) * 1e-9
}

/// From `start` to `end`, calling `at` at each wanted instant; the state at the end.
fn piece<'a, Eqn: OdeEquations<T = f64, V = <M as diffsol::MatrixCommon>::V> + 'a>(
    solver: &mut impl OdeSolverMethod<'a, Eqn>,
    end: f64,
    wanted: &mut impl Iterator<Item = f64>,
    mut at: impl FnMut(&[f64]),
) -> Result<Vec<f64>, DiffsolError> {
    solver.set_stop_time(end)?;
    let mut next = wanted.next();
    loop {
        let reason = solver.step()?;
        let t = solver.state().t;
        while let Some(time) = next.filter(|time| *time <= t) {
            at(solver.interpolate(time)?.inner().as_slice());
            next = wanted.next();
        }
        if matches!(reason, OdeSolverStopReason::TstopReached) {
            return Ok(solver.state().y.inner().as_slice().to_vec());
        }
    }
}

fn course<Eqn>(problem: &mut OdeSolverProblem<Eqn>, method: &str, setting: &[f64]) -> Result<Vec<[f64; 8]>, Box<dyn std::error::Error>>
where
    Eqn: OdeEquationsImplicit<T = f64, M = M, V = <M as diffsol::MatrixCommon>::V, C = <M as diffsol::MatrixCommon>::C>,
{
    let mut state = INITIAL;
    state[0] = setting[7];
    let mut out: Vec<[f64; 8]> = Vec::with_capacity(OUTPUTS);
    for (s, phase) in PHASE.iter().enumerate() {
        if ADDED[s] {
            bolus(&mut state);
        }
        let (start, end) = (START[s], START[s + 1]);
        let mut p = [0.0; 19];
        p[..8].copy_from_slice(&setting[..8]);
        p[8..11].copy_from_slice(phase);
        p[11..].copy_from_slice(&state);
        let context = problem.context().clone();
        problem.eqn.set_params(&Vector::from_vec(p.to_vec(), context));
        problem.t0 = start;
        let mut kept = Vec::new();
        // At an instant of an event the state after it; at the end, the end.
        let time = |k: usize| k as f64 * END / (OUTPUTS - 1) as f64;
        if out.len() < OUTPUTS && time(out.len()) <= start {
            kept.push(state);
        }
        let last = s + 1 == PHASE.len();
        let first = out.len() + kept.len();
        let mut wanted = (first..OUTPUTS).map(time).take_while(|t| *t < end || last);
        let mut at = |y: &[f64]| {
            let mut row = [0.0; 8];
            row.copy_from_slice(y);
            kept.push(row);
        };
        let reached = match method {
            "bdf" => piece(&mut problem.bdf::<Lu>()?, end, &mut wanted, &mut at)?,
            "tr-bdf2" => piece(&mut problem.tr_bdf2::<Lu>()?, end, &mut wanted, &mut at)?,
            _ => piece(&mut problem.esdirk34::<Lu>()?, end, &mut wanted, &mut at)?,
        };
        state.copy_from_slice(&reached);
        out.extend(kept);
    }
    Ok(out)
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let given: Vec<String> = std::env::args().collect();
    let [_, method, path, n, keep, relative, absolute] = given.as_slice() else {
        return Err("culture-diffsol METHOD SETTINGS.csv N KEEP RELATIVE ABSOLUTE".into());
    };
    let (n, keep): (usize, usize) = (n.parse()?, keep.parse()?);
    let rows = std::fs::read_to_string(path)?;
    let rows = rows.lines().skip(1).take(n).map(|row| row.split(',').map(str::parse).collect());
    let settings: Vec<Vec<f64>> = rows.collect::<Result<_, _>>()?;
    let mut p = settings[0].clone();
    p.extend(PHASE[0]);
    p.extend(INITIAL);
    let mut problem = OdeBuilder::<M>::new()
        .rtol(relative.parse()?)
        .atol([absolute.parse()?])
        .p(p)
        .rhs_implicit(
            |x, p, t, y| rates::<f64>(t, x, &p[..8], &p[8..11], y),
            |x, p, t, v, y| {
                let x: [Dual; 8] = std::array::from_fn(|i| Dual(x[i], v[i]));
                let mut d = [Dual(0.0, 0.0); 8];
                rates::<Dual>(t, &x, &p[..8], &p[8..11], &mut d);
                y.iter_mut().zip(d).for_each(|(y, d)| *y = d.1);
            },
        )
        .init(|p, _t, y| y.copy_from_slice(&p[11..19]), 8)
        .build()?;
    let mut courses = Vec::new();
    for setting in settings.iter().take(keep) {
        courses.push(course(&mut problem, method, setting)?);
    }
    let begin = cpu();
    let mut sum = 0.0;
    for setting in &settings {
        sum += course(&mut problem, method, setting)?[OUTPUTS - 1][0];
    }
    let spent = cpu() - begin;
    if !f64::is_finite(sum) {
        return Err("not finite".into());
    }
    println!("{{\"courses\":{courses:?},\"cpu_s\":{spent:.6},\"n\":{}}}", settings.len());
    Ok(())
}
