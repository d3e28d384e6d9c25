//! JSON as a tree that borrows from the text and knows where everything stands.
//!
//! RFC 8259, and the bare words `NaN`, `Infinity` and `-Infinity` that Python writes.

use std::borrow::Cow;
use std::cell::RefCell;

/// Deepest nesting and longest text.
const DEPTH_MAX: usize = 64;
const BYTES_MAX: usize = 1 << 30;

/// A value and the byte at which it begins.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::io) struct Node<'t> {
    /// Byte offset.
    pub(in crate::io) at: usize,
    /// What it is.
    pub(in crate::io) value: Json<'t>,
}

/// A JSON value; objects keep order and repetition.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::io) enum Json<'t> {
    Null,
    Bool(bool),
    Number(f64),
    Text(Cow<'t, str>),
    List(Vec<Node<'t>>),
    Object(Vec<(Cow<'t, str>, Node<'t>)>),
}

/// A fault, and the byte where it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::io) struct Fault {
    /// Byte offset.
    pub(in crate::io) at: usize,
    /// Japanese.
    pub(in crate::io) ja: &'static str,
    /// English.
    pub(in crate::io) en: &'static str,
}

/// Bytes between two places whose line and column are remembered.
const STRIDE: usize = 4096;

/// Lines and columns of a text, counted once as far as anybody has asked.
#[derive(Debug)]
pub(in crate::io) struct Spots<'t> {
    text: &'t [u8],
    /// Line and column (in characters), from 1, of every [`STRIDE`]th byte.
    known: RefCell<Vec<(u64, u64)>>,
}

impl<'t> Spots<'t> {
    pub(in crate::io) fn new(text: &'t str) -> Self {
        Self { text: text.as_bytes(), known: RefCell::new(vec![(1, 1)]) }
    }

    /// Line and column (in characters), from 1, of a byte.
    pub(in crate::io) fn of(&self, at: usize) -> (u64, u64) {
        let at = at.min(self.text.len());
        let mut known = self.known.borrow_mut();
        while known.len() <= at / STRIDE {
            let from = (known.len() - 1) * STRIDE;
            let next = onward(known[known.len() - 1], &self.text[from..from + STRIDE]);
            known.push(next);
        }
        onward(known[at / STRIDE], &self.text[at / STRIDE * STRIDE..at])
    }
}

/// Line and column after these bytes. A character counts where it begins.
fn onward((line, column): (u64, u64), bytes: &[u8]) -> (u64, u64) {
    let breaks = bytes.iter().filter(|b| **b == b'\n').count() as u64;
    let (start, rest) = match bytes.iter().rposition(|b| *b == b'\n') {
        Some(last) => (1, &bytes[last + 1..]),
        None => (column, bytes),
    };
    (line + breaks, start + rest.iter().filter(|b| **b & 0xC0 != 0x80).count() as u64)
}

/// Reads a document.
pub(in crate::io) fn parse(text: &str) -> Result<Node<'_>, Fault> {
    if text.len() > BYTES_MAX {
        return Err(Fault { at: 0, ja: "1 GiB を超えています", en: "it is longer than 1 GiB" });
    }
    let mut parser = Parser { text, at: 0, members: Vec::new(), items: Vec::new() };
    parser.blank();
    let node = parser.value(0)?;
    parser.blank();
    match parser.at == text.len() {
        true => Ok(node),
        false => parser.fail("値の後に余分な文字があります", "there is more after the value"),
    }
}

struct Parser<'t> {
    text: &'t str,
    at: usize,
    /// Members of the objects that are open, and items of the lists.
    members: Vec<(Cow<'t, str>, Node<'t>)>,
    items: Vec<Node<'t>>,
}

impl<'t> Parser<'t> {
    fn fail<T>(&self, ja: &'static str, en: &'static str) -> Result<T, Fault> {
        Err(Fault { at: self.at, ja, en })
    }

    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn blank(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\t' | b'\n' | b'\r')) {
            self.at += 1;
        }
    }

    fn take(&mut self, byte: u8, ja: &'static str, en: &'static str) -> Result<(), Fault> {
        if self.peek() != Some(byte) {
            return self.fail(ja, en);
        }
        self.at += 1;
        self.blank();
        Ok(())
    }

    fn value(&mut self, depth: usize) -> Result<Node<'t>, Fault> {
        if depth > DEPTH_MAX {
            return self.fail("入れ子が深すぎます", "nested too deeply");
        }
        let at = self.at;
        let value = match self.peek() {
            Some(b'{') => self.object(depth)?,
            Some(b'[') => self.list(depth)?,
            Some(b'"') => Json::Text(self.text()?),
            _ => self.word()?,
        };
        Ok(Node { at, value })
    }

    fn object(&mut self, depth: usize) -> Result<Json<'t>, Fault> {
        let from = self.members.len();
        self.take(b'{', "", "")?;
        while self.peek() != Some(b'}') {
            if self.members.len() > from {
                self.take(b',', "「,」か「}」がありません", "a comma or closing brace is missing")?;
            }
            if self.peek() != Some(b'"') {
                return self.fail("項目の名前がありません", "the name of a member is missing");
            }
            let key = self.text()?;
            self.blank();
            self.take(b':', "「:」がありません", "a colon is missing")?;
            let value = self.value(depth + 1)?;
            self.members.push((key, value));
            self.blank();
        }
        self.at += 1;
        Ok(Json::Object(self.members.drain(from..).collect()))
    }

    fn list(&mut self, depth: usize) -> Result<Json<'t>, Fault> {
        let from = self.items.len();
        self.take(b'[', "", "")?;
        while self.peek() != Some(b']') {
            if self.items.len() > from {
                self.take(b',', "「,」か「]」がありません", "a comma or closing bracket is missing")?;
            }
            let value = self.value(depth + 1)?;
            self.items.push(value);
            self.blank();
        }
        self.at += 1;
        Ok(Json::List(self.items.drain(from..).collect()))
    }

    /// A number or a bare word.
    fn word(&mut self) -> Result<Json<'t>, Fault> {
        let rest = &self.text[self.at..];
        let length = rest.find(|c: char| !(c.is_ascii_alphanumeric() || matches!(c, '+' | '-' | '.'))).unwrap_or(rest.len());
        let word = &rest[..length];
        let value = match word {
            "null" => Json::Null,
            "true" => Json::Bool(true),
            "false" => Json::Bool(false),
            "NaN" => Json::Number(f64::NAN),
            "Infinity" => Json::Number(f64::INFINITY),
            "-Infinity" => Json::Number(f64::NEG_INFINITY),
            _ => match word.parse() {
                Ok(number) if word.starts_with(|c: char| c.is_ascii_digit() || c == '-') && !word.contains(['n', 'N']) => {
                    Json::Number(number)
                }
                _ => return self.fail("JSON の値として読めません", "not readable as a value of JSON"),
            },
        };
        self.at += length;
        Ok(value)
    }

    fn text(&mut self) -> Result<Cow<'t, str>, Fault> {
        let start = self.at + 1;
        let mut cooked: Option<String> = None;
        let mut from = start;
        self.at = start;
        loop {
            let rest = &self.text.as_bytes()[self.at..];
            let Some(length) = rest.iter().position(|b| matches!(b, b'"' | b'\\') || *b < 0x20) else {
                self.at = self.text.len();
                return self.fail("文字列が閉じていません", "a text is not closed");
            };
            self.at += length;
            let piece = &self.text[from..self.at];
            match self.text.as_bytes()[self.at] {
                b'"' => {
                    self.at += 1;
                    return Ok(match cooked {
                        None => Cow::Borrowed(piece),
                        Some(mut text) => {
                            text.push_str(piece);
                            Cow::Owned(text)
                        }
                    });
                }
                b'\\' => {
                    let text = cooked.get_or_insert_with(String::new);
                    text.push_str(piece);
                    let character = self.escape()?;
                    cooked.get_or_insert_with(String::new).push(character);
                    from = self.at;
                }
                _ => return self.fail("文字列に制御文字があります", "a text holds a control character"),
            }
        }
    }

    fn escape(&mut self) -> Result<char, Fault> {
        let plain = match self.text.as_bytes().get(self.at + 1) {
            Some(b'"') => '"',
            Some(b'\\') => '\\',
            Some(b'/') => '/',
            Some(b'b') => '\u{8}',
            Some(b'f') => '\u{c}',
            Some(b'n') => '\n',
            Some(b'r') => '\r',
            Some(b't') => '\t',
            Some(b'u') => return self.unicode(),
            _ => return self.fail("未知のエスケープです", "an unknown escape"),
        };
        self.at += 2;
        Ok(plain)
    }

    /// `\uXXXX`, or two of them that make one character.
    fn unicode(&mut self) -> Result<char, Fault> {
        let unit = |at: usize| -> Option<u32> {
            let digits = self.text.get(at..at + 6)?.strip_prefix("\\u")?;
            digits.bytes().all(|b| b.is_ascii_hexdigit()).then(|| u32::from_str_radix(digits, 16).ok()).flatten()
        };
        let first = unit(self.at);
        let (code, length) = match (first, unit(self.at + 6)) {
            (Some(high @ 0xD800..=0xDBFF), Some(low @ 0xDC00..=0xDFFF)) => {
                (0x10000 + ((high - 0xD800) << 10) + (low - 0xDC00), 12)
            }
            (Some(code), _) => (code, 6),
            (None, _) => {
                return self.fail("\\u の後が 16 進 4 桁ではありません", "\\u is not followed by four hexadecimal digits");
            }
        };
        self.at += length;
        // An unpaired half is no character; Unicode has a sign for that.
        Ok(char::from_u32(code).unwrap_or('\u{FFFD}'))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// What serde_json makes of it, for comparison.
    fn plain(node: &Node<'_>) -> serde_json::Value {
        match &node.value {
            Json::Null => serde_json::Value::Null,
            Json::Bool(b) => (*b).into(),
            Json::Number(n) => serde_json::json!(n),
            Json::Text(t) => t.as_ref().into(),
            Json::List(items) => items.iter().map(plain).collect(),
            Json::Object(members) => serde_json::Value::Object(members.iter().map(|(k, v)| (k.to_string(), plain(v))).collect()),
        }
    }

    #[test]
    fn python_words_and_places() {
        let node = parse(" [NaN, Infinity, -Infinity, \"\\ud83d\\ude00\\u00e9\\ud800\", {\"a\": 1e3}]").unwrap();
        let Json::List(items) = node.value else { panic!() };
        assert!(matches!(items[0].value, Json::Number(n) if n.is_nan()));
        assert_eq!(items[2].value, Json::Number(f64::NEG_INFINITY));
        assert_eq!(items[3].value, Json::Text("😀é\u{FFFD}".into()));
        assert_eq!(Spots::new("é\nbé x").of(6), (2, 3));
        for (text, at) in
            [("", 0), ("[1 2]", 3), ("{\"a\" 1}", 5), ("\"a", 2), ("[1,]", 3), ("1 1", 2), ("nan", 0), ("\"\\x\"", 1), ("{", 1)]
        {
            assert_eq!(parse(text).unwrap_err().at, at, "{text}");
        }
        assert!(parse(&"[".repeat(100_000)).is_err());
    }

    #[test]
    fn places_far_into_a_text_are_those_of_counting_from_the_start() {
        let text = "é\n".repeat(3000) + &"aé".repeat(5000) + "\n\n" + &"x".repeat(9000);
        let spots = Spots::new(&text);
        // Not in order, and asked again.
        for at in [0, 20_000, 1, 2, 3, 4095, 4096, 4097, 8192, 9000, 15_000, 24_001, text.len(), 24_002, 24_003, 30_000, 4096] {
            let at = (at..).find(|a| text.is_char_boundary(*a)).unwrap();
            let before = &text[..at];
            let column = before.rsplit('\n').next().unwrap().chars().count() as u64 + 1;
            assert_eq!(spots.of(at), (before.matches('\n').count() as u64 + 1, column), "{at}");
        }
    }

    fn trees() -> impl Strategy<Value = serde_json::Value> {
        let leaf = prop_oneof![
            Just(serde_json::Value::Null),
            any::<bool>().prop_map(Into::into),
            any::<f64>().prop_filter("finite", |f| f.is_finite()).prop_map(|f| serde_json::json!(f)),
            "\\PC{0,8}|[\\x00-\\x1f\"\\\\]{0,4}".prop_map(Into::into),
        ];
        leaf.prop_recursive(4, 32, 5, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..5).prop_map(Into::into),
                prop::collection::btree_map("\\PC{0,4}", inner, 0..5)
                    .prop_map(|m| serde_json::Value::Object(m.into_iter().collect())),
            ]
        })
    }

    proptest! {
        #[test]
        fn reads_what_serde_writes(tree in trees(), pretty in any::<bool>()) {
            let text = if pretty { serde_json::to_string_pretty(&tree) } else { serde_json::to_string(&tree) }.unwrap();
            prop_assert_eq!(plain(&parse(&text).unwrap()), tree);
        }

        #[test]
        fn no_text_panics(text in "[\\[\\]{}\",:0-9eu\\\\ .+-]{0,40}|\\PC{0,40}") {
            let ours = parse(&text);
            let theirs: Result<serde_json::Value, _> = serde_json::from_str(&text);
            if theirs.is_ok() {
                prop_assert!(ours.is_ok(), "{}", text);
            }
            if let Err(fault) = ours {
                Spots::new(&text).of(fault.at);
            }
        }
    }
}
