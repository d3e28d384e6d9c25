//! Which genes a reaction needs: alternatives (isoenzymes) of complexes (subunits).

use std::collections::BTreeSet;
use std::fmt;

/// Deepest nesting and most tokens of a rule.
const DEPTH_MAX: usize = 100;
const TOKENS_MAX: usize = 100_000;

/// A gene–protein–reaction rule over genes by index.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Gpr {
    /// The gene.
    Gene(usize),
    /// All of them.
    And(Vec<Gpr>),
    /// Any of them.
    Or(Vec<Gpr>),
}

/// Why a rule is unreadable, and after how many characters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GprError {
    /// Characters before the fault.
    pub at: usize,
    /// What is wrong, Japanese.
    pub ja: &'static str,
    /// What is wrong, English.
    pub en: &'static str,
}

impl fmt::Display for GprError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "character {}: {}", self.at + 1, self.en)
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Token<'t> {
    Open,
    Close,
    And,
    Or,
    Name(&'t str),
}

/// Splits a rule: words between blanks and brackets. `and`, `or` in any case, `&`, `&&`, `|`, `||` join.
/// A bracket that opens and closes inside a word, as in `MT-CO1(a)`, belongs to the word.
fn tokens(text: &str) -> Result<Vec<(usize, Token<'_>)>, GprError> {
    let mut found = Vec::new();
    let mut rest = text;
    let mut at = 0;
    while let Some(first) = rest.chars().next() {
        if found.len() >= TOKENS_MAX {
            return Err(GprError { at, ja: "規則が長すぎます", en: "the rule is too long" });
        }
        let (length, token) = match first {
            c if c.is_whitespace() => (c.len_utf8(), None),
            '(' => (1, Some(Token::Open)),
            ')' => (1, Some(Token::Close)),
            '&' => (if rest.starts_with("&&") { 2 } else { 1 }, Some(Token::And)),
            '|' => (if rest.starts_with("||") { 2 } else { 1 }, Some(Token::Or)),
            _ => {
                let word = word(rest);
                let token = match word {
                    w if w.eq_ignore_ascii_case("and") => Token::And,
                    w if w.eq_ignore_ascii_case("or") => Token::Or,
                    w if w.eq_ignore_ascii_case("not") => {
                        return Err(GprError {
                            at,
                            ja: "否定 (not) には対応していません",
                            en: "negation (not) is not supported",
                        });
                    }
                    w => Token::Name(w),
                };
                (word.len(), Some(token))
            }
        };
        found.extend(token.map(|t| (at, t)));
        at += rest[..length].chars().count();
        rest = &rest[length..];
    }
    Ok(found)
}

/// The word at the start: up to a blank, `&`, `|` or a bracket that is not the word's own.
fn word(text: &str) -> &str {
    let mut own = false;
    for (i, c) in text.char_indices() {
        match c {
            '(' if !own && belongs(&text[..i], &text[i + 1..]) => own = true,
            ')' if own => own = false,
            '(' | ')' | '&' | '|' => return &text[..i],
            c if c.is_whitespace() => return &text[..i],
            _ => {}
        }
    }
    text
}

/// Is a bracket between these a part of the word before it?
fn belongs(before: &str, after: &str) -> bool {
    let joins = before.eq_ignore_ascii_case("and") || before.eq_ignore_ascii_case("or");
    let stop = after.find(|c: char| c.is_whitespace() || matches!(c, '(' | ')' | '&' | '|'));
    !joins && stop.is_some_and(|s| s > 0 && after[s..].starts_with(')'))
}

struct Parser<'t, 'f> {
    tokens: &'t [(usize, Token<'t>)],
    next: usize,
    end: usize,
    gene: &'f mut dyn FnMut(&str) -> usize,
}

impl Parser<'_, '_> {
    fn fail<T>(&self, ja: &'static str, en: &'static str) -> Result<T, GprError> {
        Err(GprError { at: self.tokens.get(self.next).map_or(self.end, |t| t.0), ja, en })
    }

    fn peek(&self) -> Option<Token<'_>> {
        self.tokens.get(self.next).map(|t| t.1)
    }

    /// Alternatives; `and` binds closer than `or`.
    fn any(&mut self, depth: usize) -> Result<Gpr, GprError> {
        let first = self.all(depth)?;
        if self.peek() != Some(Token::Or) {
            return Ok(first);
        }
        let mut parts = vec![first];
        while self.peek() == Some(Token::Or) {
            self.next += 1;
            parts.push(self.all(depth)?);
        }
        Ok(Gpr::any(parts))
    }

    fn all(&mut self, depth: usize) -> Result<Gpr, GprError> {
        let first = self.one(depth)?;
        if self.peek() != Some(Token::And) {
            return Ok(first);
        }
        let mut parts = vec![first];
        while self.peek() == Some(Token::And) {
            self.next += 1;
            parts.push(self.one(depth)?);
        }
        Ok(Gpr::all(parts))
    }

    fn one(&mut self, depth: usize) -> Result<Gpr, GprError> {
        if depth >= DEPTH_MAX {
            return self.fail("括弧の入れ子が深すぎます", "brackets are nested too deeply");
        }
        match self.tokens.get(self.next).map(|t| t.1) {
            Some(Token::Name(name)) => {
                self.next += 1;
                Ok(Gpr::Gene((self.gene)(name)))
            }
            Some(Token::Open) => {
                self.next += 1;
                let inner = self.any(depth + 1)?;
                if self.peek() != Some(Token::Close) {
                    return self.fail("閉じ括弧か and・or がありません", "a closing bracket, and, or or is missing");
                }
                self.next += 1;
                Ok(inner)
            }
            _ => self.fail("遺伝子の名前がありません", "the name of a gene is missing"),
        }
    }
}

impl Gpr {
    /// Reads a rule. `gene` turns a name into the index of the gene. A blank rule is `None`.
    ///
    /// # Errors
    /// The rule is not one: what is wrong and where. Names before the fault have been given to `gene`.
    pub fn parse(text: &str, gene: &mut dyn FnMut(&str) -> usize) -> Result<Option<Self>, GprError> {
        let tokens = tokens(text)?;
        if tokens.is_empty() {
            return Ok(None);
        }
        let mut parser = Parser { tokens: &tokens, next: 0, end: text.chars().count(), gene };
        let rule = parser.any(0)?;
        if parser.next < tokens.len() {
            return parser.fail("and か or がありません", "and or or is missing");
        }
        Ok(Some(rule))
    }

    /// All of these; flat, without repetition. Of none: the empty conjunction, always true.
    #[must_use]
    pub fn all(parts: Vec<Self>) -> Self {
        Self::flat(parts, |p| if let Self::And(inner) = p { Ok(inner) } else { Err(p) }, Self::And)
    }

    /// Any of these; flat, without repetition. Of none: the empty disjunction, never true.
    #[must_use]
    pub fn any(parts: Vec<Self>) -> Self {
        Self::flat(parts, |p| if let Self::Or(inner) = p { Ok(inner) } else { Err(p) }, Self::Or)
    }

    fn flat(parts: Vec<Self>, open: impl Fn(Self) -> Result<Vec<Self>, Self>, join: impl Fn(Vec<Self>) -> Self) -> Self {
        let mut flat: Vec<Self> = Vec::with_capacity(parts.len());
        let mut genes = BTreeSet::new();
        let mut add = |part: Self| match part {
            Self::Gene(gene) if !genes.insert(gene) => {}
            other => flat.push(other),
        };
        for part in parts {
            match open(part) {
                Ok(inner) => inner.into_iter().for_each(&mut add),
                Err(own) => add(own),
            }
        }
        match flat.len() {
            1 => flat.swap_remove(0),
            _ => join(flat),
        }
    }

    /// Does the enzyme exist when `present` says which genes do?
    #[must_use]
    pub fn holds(&self, present: &dyn Fn(usize) -> bool) -> bool {
        match self {
            Self::Gene(gene) => present(*gene),
            Self::And(parts) => parts.iter().all(|p| p.holds(present)),
            Self::Or(parts) => parts.iter().any(|p| p.holds(present)),
        }
    }

    /// The genes it names, ascending.
    #[must_use]
    pub fn genes(&self) -> BTreeSet<usize> {
        let mut genes = BTreeSet::new();
        self.each(&mut |gene| {
            genes.insert(gene);
        });
        genes
    }

    /// The greatest gene index.
    #[must_use]
    pub fn greatest(&self) -> Option<usize> {
        let mut greatest = None;
        self.each(&mut |gene| greatest = greatest.max(Some(gene)));
        greatest
    }

    /// Shows every gene it names, each as often as it does.
    pub(super) fn each(&self, see: &mut dyn FnMut(usize)) {
        match self {
            Self::Gene(gene) => see(*gene),
            Self::And(parts) | Self::Or(parts) => parts.iter().for_each(|p| p.each(see)),
        }
    }

    /// The least sets of genes each of which suffices, in ascending order; `None` when there would be more than
    /// `limit` before absorption.
    #[must_use]
    pub fn complexes(&self, limit: usize) -> Option<Vec<BTreeSet<usize>>> {
        let sets = match self {
            Self::Gene(gene) => vec![BTreeSet::from([*gene])],
            Self::Or(parts) => {
                let mut union = Vec::new();
                for part in parts {
                    union.extend(part.complexes(limit)?);
                    if union.len() > limit {
                        return None;
                    }
                }
                union
            }
            Self::And(parts) => {
                let mut product = vec![BTreeSet::new()];
                for part in parts {
                    let sets = part.complexes(limit)?;
                    if product.len().saturating_mul(sets.len()) > limit {
                        return None;
                    }
                    let both = |a: &BTreeSet<usize>| sets.iter().map(|b| a | b).collect::<Vec<_>>();
                    product = least(product.iter().flat_map(both).collect());
                }
                product
            }
        };
        Some(least(sets))
    }

    /// The rule in the words of COBRA: `(a and b) or c`.
    #[must_use]
    pub fn text(&self, name: &dyn Fn(usize) -> String) -> String {
        let inside = |parts: &[Self], word: &str| {
            let one = |p: &Self| match p {
                Self::Gene(_) => p.text(name),
                _ => format!("({})", p.text(name)),
            };
            parts.iter().map(one).collect::<Vec<_>>().join(word)
        };
        match self {
            Self::Gene(gene) => name(*gene),
            Self::And(parts) => inside(parts, " and "),
            Self::Or(parts) => inside(parts, " or "),
        }
    }
}

/// Keeps the sets that contain no other, ascending, each once.
fn least(mut sets: Vec<BTreeSet<usize>>) -> Vec<BTreeSet<usize>> {
    sets.sort_by(|a, b| a.len().cmp(&b.len()).then_with(|| a.cmp(b)));
    let mut kept: Vec<BTreeSet<usize>> = Vec::new();
    for set in sets {
        if !kept.iter().any(|k| k.is_subset(&set)) {
            kept.push(set);
        }
    }
    kept.sort();
    kept
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn read(text: &str) -> Result<(Option<Gpr>, Vec<String>), GprError> {
        let mut names: Vec<String> = Vec::new();
        let rule = Gpr::parse(text, &mut |name| {
            names.iter().position(|n| n == name).unwrap_or_else(|| {
                names.push(name.to_owned());
                names.len() - 1
            })
        })?;
        Ok((rule, names))
    }

    fn check(text: &str, expected: &str) {
        let (rule, names) = read(text).unwrap();
        assert_eq!(rule.unwrap().text(&|g| names[g].clone()), expected, "{text}");
    }

    #[test]
    fn rules_as_models_write_them() {
        check("b0001", "b0001");
        check("(b1 AND b2) OR b3", "(b1 and b2) or b3");
        check("b1 and b2 or b3 and b4", "(b1 and b2) or (b3 and b4)");
        check("b1 & b2 || b3", "(b1 and b2) or b3");
        check("(((b1)))", "b1");
        check("((a and (b and c)) or (d or (e)))", "(a and b and c) or d or e");
        check("a or a Or b", "a or b");
        check("10007.1_AT1 and YAL038W-A", "10007.1_AT1 and YAL038W-A");
        check("(MT-CO1(a) and HGNC:5) or x", "(MT-CO1(a) and HGNC:5) or x");
        check("(android and orc) or 遺伝子", "(android and orc) or 遺伝子");
        check("a and(b or c)", "a and (b or c)");
        check("(a)and(b)", "a and b");
        assert_eq!(read(" \t").unwrap().0, None);
    }

    #[test]
    fn what_is_no_rule_is_told_with_its_place() {
        for (text, at) in
            [("a and", 5), ("and a", 0), ("a b", 2), ("(a", 2), ("a)", 1), ("()", 1), ("a or not b", 5), ("é or or", 5)]
        {
            assert_eq!(read(text).unwrap_err().at, at, "{text}");
        }
        assert!(read(&"(".repeat(100_000)).is_err());
        assert!(read(&format!("{}a{}", "(".repeat(5000), ")".repeat(5000))).is_err());
    }

    #[test]
    fn complexes_are_least() {
        let (rule, _) = read("(a or b) and (a or c) or a and d").unwrap();
        assert_eq!(rule.as_ref().unwrap().complexes(100).unwrap(), [BTreeSet::from([0]), BTreeSet::from([1, 2])]);
        assert_eq!(rule.unwrap().complexes(1), None);
    }

    fn rules() -> impl Strategy<Value = Gpr> {
        (0_usize..6).prop_map(Gpr::Gene).prop_recursive(4, 24, 4, |inner| {
            let parts = prop::collection::vec(inner, 1..4);
            prop_oneof![parts.clone().prop_map(Gpr::all), parts.prop_map(Gpr::any)]
        })
    }

    proptest! {
        #[test]
        fn text_is_read_back_and_means_the_same(rule in rules()) {
            let text = rule.text(&|g| format!("g{g}.1"));
            let again = Gpr::parse(&text, &mut |n| n[1..2].parse().unwrap()).unwrap().unwrap();
            prop_assert_eq!(&again, &rule);
            let complexes = rule.complexes(100_000).unwrap();
            for present in 0_u32..64 {
                let has = |g: usize| present >> g & 1 == 1;
                let by_complex = complexes.iter().any(|c| c.iter().all(|g| has(*g)));
                prop_assert_eq!(rule.holds(&has), by_complex);
            }
            for g in 0..6 {
                prop_assert!(!rule.holds(&|x| x == g) || rule.holds(&|_| true));
            }
        }

        #[test]
        fn no_text_panics(text in "[ab()&|. ]{0,40}|\\PC{0,40}|((and|or|a|b|\\(|\\)) ?){0,30}") {
            if let Err(error) = read(&text) {
                prop_assert!(error.at <= text.chars().count());
            }
        }
    }
}
