//! Chemical formulas: `C6H12O6`, `C10H17O7(C5H8O6PR)n`, `C30H45O6X`.

use std::collections::BTreeMap;

/// Symbols of the elements; D and T are hydrogen of mass two and three.
const ELEMENTS: &str = " H He Li Be B C N O F Ne Na Mg Al Si P S Cl Ar K Ca Sc Ti V Cr Mn Fe Co Ni Cu Zn Ga Ge As Se Br Kr Rb Sr Y Zr \
    Nb Mo Tc Ru Rh Pd Ag Cd In Sn Sb Te I Xe Cs Ba La Ce Pr Nd Pm Sm Eu Gd Tb Dy Ho Er Tm Yb Lu Hf Ta W Re Os Ir Pt Au Hg Tl Pb Bi \
    Po At Rn Fr Ra Ac Th Pa U Np Pu Am Cm Bk Cf Es Fm Md No Lr Rf Db Sg Bh Hs Mt Ds Rg Cn Nh Fl Mc Lv Ts Og D T ";
/// Longest formula, in bytes.
const BYTES_MAX: usize = 10_000;

/// How much of what. Groups that stand for a rest are counted as if they were elements: `R`, `X`, `Z`, `FULLR`, `*`.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Formula {
    /// Count by symbol, never zero.
    pub atoms: BTreeMap<String, f64>,
    /// Does it hold a group that stands for a rest?
    pub generic: bool,
}

/// Why a formula is unreadable, and after how many bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FormulaError {
    /// Bytes before the fault.
    pub at: usize,
    /// Japanese.
    pub ja: &'static str,
    /// English.
    pub en: &'static str,
}

impl Formula {
    /// Reads a formula. Counts may be fractions; brackets with a count may nest; a blank formula has no atoms.
    ///
    /// # Errors
    /// What is wrong and where; a polymer of unknown length (`(C2H4)n`) has no count and is one.
    pub fn parse(text: &str) -> Result<Self, FormulaError> {
        let fail = |at, ja, en| Err(FormulaError { at, ja, en });
        if text.len() > BYTES_MAX {
            return fail(0, "長すぎます", "it is too long");
        }
        let bytes = text.as_bytes();
        // Of each open bracket: what stands in it.
        let mut open: Vec<BTreeMap<String, f64>> = vec![BTreeMap::new()];
        let mut generic = false;
        let mut at = 0;
        while at < bytes.len() {
            let start = at;
            match bytes[at] {
                b'(' | b'[' if open.len() < 20 => {
                    open.push(BTreeMap::new());
                    at += 1;
                }
                b')' | b']' if open.len() > 1 => {
                    at += 1;
                    if bytes.get(at).is_some_and(|b| matches!(b, b'n' | b'm' | b'x')) {
                        return fail(at, "重合度が不明です", "a polymer of unknown length");
                    }
                    let count =
                        number(text, &mut at)
                            .ok_or(FormulaError { at, ja: "数が読めません", en: "an unreadable count" })?;
                    let inner = open.pop().unwrap_or_default();
                    let outer = open.last_mut();
                    outer.into_iter().for_each(|o| inner.iter().for_each(|(s, n)| *o.entry(s.clone()).or_default() += n * count));
                }
                b' ' | b'.' if start > 0 => at += 1,
                b'*' | b'A'..=b'Z' => {
                    let symbol = symbol(text, &mut at);
                    let Some(symbol) = symbol else {
                        return fail(start, "元素でも R・X でもありません", "neither an element nor R or X");
                    };
                    generic |= !is_element(symbol);
                    let count =
                        number(text, &mut at)
                            .ok_or(FormulaError { at, ja: "数が読めません", en: "an unreadable count" })?;
                    if let Some(inside) = open.last_mut() {
                        *inside.entry(symbol.to_owned()).or_default() += count;
                    }
                }
                _ => return fail(at, "化学式の文字ではありません", "no character of a formula"),
            }
        }
        if open.len() > 1 {
            return fail(bytes.len(), "括弧が閉じていません", "a bracket is not closed");
        }
        let mut atoms = open.pop().unwrap_or_default();
        atoms.retain(|_, n| *n != 0.0);
        Ok(Self { atoms, generic })
    }
}

fn is_element(symbol: &str) -> bool {
    ELEMENTS.contains(&format!(" {symbol} "))
}

/// The symbol at the place: the longest element, or a group.
fn symbol<'t>(text: &'t str, at: &mut usize) -> Option<&'t str> {
    let rest = &text[*at..];
    let small = rest[1..].bytes().take_while(u8::is_ascii_lowercase).count();
    let take = if rest.starts_with("FULLR") {
        5
    } else if rest.starts_with('*') {
        1
    } else if small == 1 && is_element(&rest[..2]) {
        2
    } else if small == 0 && (is_element(&rest[..1]) || matches!(&rest[..1], "R" | "X" | "Z")) {
        1
    } else {
        return None;
    };
    *at += take;
    Some(&rest[..take])
}

/// The count at the place; one where none is written.
fn number(text: &str, at: &mut usize) -> Option<f64> {
    let rest = &text[*at..];
    let mut length = rest.bytes().take_while(u8::is_ascii_digit).count();
    if rest[length..].starts_with('.') && rest[length + 1..].starts_with(|c: char| c.is_ascii_digit()) {
        length += 1 + rest[length + 1..].bytes().take_while(u8::is_ascii_digit).count();
    }
    *at += length;
    if length == 0 { Some(1.0) } else { rest[..length].parse().ok() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn check(text: &str, expected: &[(&str, f64)], generic: bool) {
        let formula = Formula::parse(text).unwrap();
        let found: Vec<_> = formula.atoms.iter().map(|(s, n)| (s.as_str(), *n)).collect();
        assert_eq!((found.as_slice(), formula.generic), (expected, generic), "{text}");
    }

    #[test]
    fn formulas() {
        check("C6H12O6", &[("C", 6.0), ("H", 12.0), ("O", 6.0)], false);
        check("", &[], false);
        check("Fe4S4X", &[("Fe", 4.0), ("S", 4.0), ("X", 1.0)], true);
        check("C40.5H0.2", &[("C", 40.5), ("H", 0.2)], false);
        check("Ca(OH)2", &[("Ca", 1.0), ("H", 2.0), ("O", 2.0)], false);
        check("C2(C(H2)2)3R", &[("C", 5.0), ("H", 12.0), ("R", 1.0)], true);
        check("C0H2", &[("H", 2.0)], false);
        check("Co", &[("Co", 1.0)], false);
        check("CO", &[("C", 1.0), ("O", 1.0)], false);
        check("C5H8FULLR2", &[("C", 5.0), ("FULLR", 2.0), ("H", 8.0)], true);
    }

    #[test]
    fn what_is_none_says_where() {
        for (text, at) in
            [("c6", 0), ("C6h", 2), ("(C2H4)n", 6), ("C(", 2), ("C)", 1), ("Jx", 0), ("C-1", 1), ("é", 0), ("Cé", 1)]
        {
            assert_eq!(Formula::parse(text).unwrap_err().at, at, "{text}");
        }
    }

    proptest! {
        #[test]
        fn no_text_panics(text in "[A-Za-z0-9().*\\[\\]]{0,20}|\\PC{0,20}") {
            let _ = Formula::parse(&text);
        }

        #[test]
        fn counts_are_kept(c in 1_u32..200, h in 0_u32..200, times in 1_u32..9) {
            let formula = Formula::parse(&format!("(C{c}H{h}){times}")).unwrap();
            prop_assert_eq!(formula.atoms.get("C").copied(), Some(f64::from(c * times)));
            prop_assert_eq!(formula.atoms.get("H").copied().unwrap_or(0.0), f64::from(h * times));
        }
    }
}
