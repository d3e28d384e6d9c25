//! Coefficients of Rodas4P2, in the form that needs no product with the Jacobian: with T = ∂f/∂t,
//! (1/(γh) − J)·U_i = f(t + c_i·h, y + Σ_j a_ij·U_j) + Σ_j (c_ij/h)·U_j + h·d_i·T.
//!
//! G. Steinebach, Improvement of Rosenbrock-Wanner method RODASP, in: Progress in Differential-Algebraic Equations II,
//! Springer 2020, 165–184 (digits as in the documented tableaus of OrdinaryDiffEq). What they are to fulfil is proved in
//! the tests beside: all conditions of order 4, of order 3 for the embedded method and for the dense output, stiff
//! accuracy, and the conditions for problems of the kind of Prothero and Robinson that RODAS (Hairer and Wanner) does not
//! meet.

/// Diagonal of the method.
pub(super) const GAMMA: f64 = 0.25;
/// Times of the first four stages, in steps; the others are at the end.
pub(super) const C: [f64; 4] = [0.0, 0.75, 0.321_448_134_013_046, 0.519_745_732_277_726];
/// Weights of the slope in time; 0 in the last two stages.
pub(super) const D: [f64; 4] = [0.25, -0.5, -0.189_532_918_363_016, 0.085_612_108_792_769];
const A2: [f64; 1] = [3.0];
const A3: [f64; 2] = [0.906_377_755_268_814, -0.189_707_390_391_685];
const A4: [f64; 3] = [3.758_617_027_739_064, 1.161_741_776_019_525, -0.849_258_085_312_803];
const A5: [f64; 4] = [7.089_566_927_282_776, 4.573_591_406_461_604, -8.423_496_976_860_259, -0.959_280_113_459_775];
/// Weights of the earlier stages in the state of stages 2 to 5. Stage 6 begins at that of stage 5 plus the stage itself,
/// and the state at the end is that of stage 6 plus the stage: the last one is the error of the embedded method.
pub(super) const A: [&[f64]; 4] = [&A2, &A3, &A4, &A5];
const C2: [f64; 1] = [-12.0];
const C3: [f64; 2] = [-6.354_581_592_719_008, 0.338_972_550_544_623];
const C4: [f64; 3] = [-8.575_016_317_114_033, -7.606_483_992_117_508, 12.224_997_650_124_82];
const C5: [f64; 4] = [-5.888_975_457_523_102, -8.157_396_617_841_82, 24.805_546_872_612_922, 12.790_401_512_796_98];
const C6: [f64; 5] =
    [-4.408_651_676_063_871, -6.692_003_137_674_639, 24.625_568_527_593_117, 16.627_521_966_636_085, -5.714_285_714_285_718];
/// Weights of the earlier stages, over h, in the equation of stages 1 to 6.
pub(super) const COUPLING: [&[f64]; 6] = [&[], &C2, &C3, &C4, &C5, &C6];
/// Weights of the first five stages in the two terms of the dense output,
/// y(t + s·h) = (1 − s)·y₀ + s·(y₁ + (1 − s)·(k₁ + s·k₂)).
pub(super) const DENSE: [[f64; 5]; 2] = [
    [-5.323_528_268_423_303, -10.042_123_754_867_493, 17.175_254_928_256_965, -5.079_931_171_878_093, -0.016_185_991_706_112],
    [6.984_505_741_529_879, 6.914_061_169_603_662, -0.849_178_943_070_653, 18.104_410_789_349_338, -3.516_963_011_559_032],
];
