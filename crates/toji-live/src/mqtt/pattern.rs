//! Topics with named wildcards, and names made from what they match.

use serde::Deserialize;
use std::fmt;

/// A topic pattern: levels that are literal, `{name}` for one level, `{name#}` at the end for all that follow.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct Pattern {
    text: String,
    levels: Vec<Level>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Level {
    Word(String),
    One(String),
    Rest(String),
}

impl TryFrom<String> for Pattern {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let parts: Vec<&str> = text.split('/').collect();
        let mut levels = Vec::new();
        for (at, part) in parts.iter().enumerate() {
            let name = part.strip_prefix('{').and_then(|p| p.strip_suffix('}'));
            levels.push(match name {
                Some(name) if name.ends_with('#') && at + 1 == parts.len() => Level::Rest(name.trim_end_matches('#').into()),
                Some(name) if !name.is_empty() && !name.contains(['#', '{', '+']) => Level::One(name.into()),
                None if !part.contains(['{', '}', '+', '#']) => Level::Word((*part).into()),
                _ => return Err(format!("«{part}» in the topic «{text}»: use {{name}} for one level, {{name#}} at the end")),
            });
        }
        Ok(Self { text, levels })
    }
}

impl fmt::Display for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl Pattern {
    /// The filter to subscribe to.
    #[must_use]
    pub fn filter(&self) -> String {
        let level = |l: &Level| match l {
            Level::Word(word) => word.clone(),
            Level::One(_) => "+".into(),
            Level::Rest(_) => "#".into(),
        };
        self.levels.iter().map(level).collect::<Vec<_>>().join("/")
    }

    /// Names of the wildcards.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.levels.iter().filter_map(|l| match l {
            Level::Word(_) => None,
            Level::One(name) | Level::Rest(name) => Some(name.as_str()),
        })
    }

    /// What the wildcards match in a topic; `None` when it does not match.
    #[must_use]
    pub fn capture(&self, topic: &str) -> Option<Vec<(&str, String)>> {
        let mut found = Vec::new();
        let mut parts = topic.split('/');
        for level in &self.levels {
            match level {
                Level::Word(word) => {
                    if parts.next()? != word {
                        return None;
                    }
                }
                Level::One(name) => found.push((name.as_str(), parts.next()?.to_owned())),
                Level::Rest(name) => {
                    found.push((name.as_str(), parts.by_ref().collect::<Vec<_>>().join("/")));
                    return Some(found);
                }
            }
        }
        parts.next().is_none().then_some(found)
    }
}

/// A name made of fixed text and words in braces, e.g. `{vessel}-{/batch}`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(from = "String")]
pub struct Template(Vec<Piece>);

#[derive(Debug, Clone, PartialEq, Eq)]
enum Piece {
    Text(String),
    Word(String),
}

impl From<String> for Template {
    fn from(text: String) -> Self {
        let mut pieces = Vec::new();
        let mut rest = text.as_str();
        while let Some((before, after)) = rest.split_once('{') {
            let Some((word, after)) = after.split_once('}') else { break };
            if !before.is_empty() {
                pieces.push(Piece::Text(before.into()));
            }
            pieces.push(Piece::Word(word.into()));
            rest = after;
        }
        if !rest.is_empty() {
            pieces.push(Piece::Text(rest.into()));
        }
        Self(pieces)
    }
}

impl Template {
    /// The words in braces.
    pub fn words(&self) -> impl Iterator<Item = &str> {
        self.0.iter().filter_map(|p| match p {
            Piece::Text(_) => None,
            Piece::Word(word) => Some(word.as_str()),
        })
    }

    /// The name, when every word is known and not empty.
    #[must_use]
    pub fn fill(&self, know: impl Fn(&str) -> Option<String>) -> Option<String> {
        let mut out = String::new();
        for piece in &self.0 {
            match piece {
                Piece::Text(text) => out.push_str(text),
                Piece::Word(word) => out.push_str(&know(word).filter(|w| !w.is_empty())?),
            }
        }
        Some(out).filter(|o| !o.is_empty())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn topics_are_taken_apart() {
        let check = |pattern: &str, topic: &str, expected: Option<&[(&str, &str)]>| {
            let pattern = Pattern::try_from(pattern.to_owned()).unwrap();
            let found = pattern.capture(topic);
            let found: Option<Vec<(&str, &str)>> = found.as_ref().map(|f| f.iter().map(|(n, v)| (*n, v.as_str())).collect());
            assert_eq!(found.as_deref(), expected);
        };
        check("hall/{vessel}/{batch}/data", "hall/R07/B12/data", Some(&[("vessel", "R07"), ("batch", "B12")]));
        check("hall/{vessel}/{batch}/data", "hall/R07/B12/data/x", None);
        check("hall/{vessel}/{batch}/data", "hall/R07/data", None);
        check("p/{unit}/{what#}", "p/1/stirring/rpm", Some(&[("unit", "1"), ("what", "stirring/rpm")]));
        assert_eq!(Pattern::try_from("p/{unit}/x/{what#}".to_owned()).unwrap().filter(), "p/+/x/#");
        for bad in ["a/{b#}/c", "a/+/c", "a/{}/c", "a/x{b}/c", "a/#"] {
            assert!(Pattern::try_from(bad.to_owned()).is_err(), "{bad}");
        }
    }

    #[test]
    fn names_are_filled_or_not_made() {
        let template = Template::from("{vessel}: {/batch}!".to_owned());
        assert_eq!(template.fill(|w| Some(w.to_uppercase())).as_deref(), Some("VESSEL: /BATCH!"));
        assert_eq!(template.fill(|w| (w == "vessel").then(|| "R".to_owned())), None);
    }
}
