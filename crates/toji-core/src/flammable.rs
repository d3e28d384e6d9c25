//! Limits of flammability of hydrogen with oxygen, as published, and the shares of them that are kept.
//!
//! One table, for engines that do not know each other: `toji-culture` makes its versioned rules of it (where a house may
//! tighten them), `toji-flux` sorts designs by it. Near 25 °C and 1 atm, dry. No substitute for the judgement of a qualified
//! person.

/// A number with where it comes from.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Sourced {
    /// Value: limits in % of volume, margins as shares.
    pub value: f64,
    /// Source.
    pub source: &'static str,
}

const BUREAU: &str =
    "H. F. Coward and G. W. Jones, U.S. Bureau of Mines Bulletin 503 (1952); M. G. Zabetakis, Bulletin 627 (1965)";
const NFPA: &str = "NFPA 69, Standard on Explosion Prevention Systems, as commonly retold: not read for this rule";

/// Lower limit of hydrogen in air, and nearly the same in oxygen, %.
pub const LOWER: Sourced = Sourced { value: 4.0, source: BUREAU };
/// Upper limit of hydrogen in air, %.
pub const UPPER_IN_AIR: Sourced = Sourced { value: 75.0, source: BUREAU };
/// Upper limit of hydrogen in oxygen, %.
pub const UPPER_IN_OXYGEN: Sourced = Sourced { value: 94.0, source: BUREAU };
/// Limiting oxygen concentration with nitrogen as inert, %. The 5.0 % of handbooks comes from tubes that the standard calls
/// too narrow.
pub const LIMITING_OXYGEN: Sourced =
    Sourced { value: 4.6, source: "ASTM E2079-19, 5.4: hydrogen, nitrogen as inert, 4.6 % in 120 L and 4.7 % in 20 L" };
/// Share of the lower limit that hydrogen may reach.
pub const MARGIN_FUEL: Sourced = Sourced { value: 0.25, source: NFPA };
/// Share of the limiting oxygen concentration that oxygen may reach, where oxygen is monitored.
pub const MARGIN_OXYGEN: Sourced = Sourced { value: 0.60, source: NFPA };
/// Oxygen of dry air, mol/mol.
pub const OXYGEN_OF_AIR: f64 = 0.2095;
