//! Pieces of XML markup (W3C, *Extensible Markup Language 1.0*, fifth edition): where they end, what a start tag holds, and
//! what references stand for.

use super::window::Fault;
use std::collections::HashSet;
use std::ops::Range;

/// What stands between two angle brackets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Markup {
    /// A start tag, or the tag of an empty element; its end is found by [`start`].
    Start,
    /// An end tag of so many bytes.
    End(usize),
    /// Character data: bytes before and in all.
    Data(usize),
    /// Comments, instructions, the type of the document: nothing to us.
    Other(usize),
}

/// The markup that begins the text, which begins with `<`. `None`: its end is not there yet.
pub(super) fn markup(text: &str) -> Option<Markup> {
    const DATA: &str = "<![CDATA[";
    let to = |end: &str, from: usize| Some(from + text.get(from..)?.find(end)? + end.len());
    match text.as_bytes().get(1)? {
        b'/' => text.find('>').map(|at| Markup::End(at + 1)),
        b'?' => to("?>", 2).map(Markup::Other),
        b'!' if text.starts_with("<!--") => to("-->", 4).map(Markup::Other),
        b'!' if text.starts_with(DATA) => to("]]>", DATA.len()).map(Markup::Data),
        b'!' if "<!--".starts_with(text) || DATA.starts_with(text) => None,
        b'!' => {
            let mut depth = 0_usize;
            for (at, byte) in text.bytes().enumerate() {
                match byte {
                    b'<' => depth += 1,
                    b'>' if depth == 1 => return Some(Markup::Other(at + 1)),
                    b'>' => depth -= 1,
                    _ => {}
                }
            }
            None
        }
        _ => Some(Markup::Start),
    }
}

/// The text inside character data of so many bytes.
pub(super) fn data(text: &str, length: usize) -> &str {
    text.get("<![CDATA[".len()..length - "]]>".len()).unwrap_or_default()
}

/// A start tag as found: where it ends, whether the element ends with it, where the name is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Start {
    pub(super) length: usize,
    pub(super) empty: bool,
    pub(super) name: Range<usize>,
}

/// An attribute as found: name and value as written.
pub(super) type Pair = (Range<usize>, Range<usize>);

fn fault<T>(ja: &str, en: &str) -> Result<T, Fault> {
    Err((ja.into(), en.into()))
}

fn blank(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\n' | b'\r')
}

/// The start tag that begins the text, its attributes into `pairs`. `None`: its end is not there yet.
///
/// # Errors
/// It is none, or has an attribute twice.
pub(super) fn start(text: &str, pairs: &mut Vec<Pair>) -> Result<Option<Start>, Fault> {
    pairs.clear();
    let bytes = text.as_bytes();
    let while_ = |mut at: usize, fits: fn(u8) -> bool| {
        while bytes.get(at).is_some_and(|b| fits(*b)) {
            at += 1;
        }
        at
    };
    let end = while_(1, |b| !blank(b) && !matches!(b, b'>' | b'/' | b'<'));
    let name = 1..end;
    if name.is_empty() && end < bytes.len() {
        return fault("要素の名前がありません", "the name of an element is missing");
    }
    let mut at = end;
    loop {
        at = while_(at, blank);
        match (bytes.get(at), bytes.get(at + 1)) {
            (None, _) | (Some(b'/'), None) => return Ok(None),
            (Some(b'>'), _) => return finish(text, pairs, Start { length: at + 1, empty: false, name }),
            (Some(b'/'), Some(b'>')) => return finish(text, pairs, Start { length: at + 2, empty: true, name }),
            _ => {}
        }
        let key = at..while_(at, |b| !blank(b) && !matches!(b, b'=' | b'>' | b'/' | b'<' | b'"' | b'\''));
        at = while_(key.end, blank);
        match bytes.get(at) {
            None => return Ok(None),
            Some(b'=') if !key.is_empty() => {}
            _ => return fault("属性の書き方が正しくありません", "an attribute is not written as name, equals sign and value"),
        }
        at = while_(at + 1, blank);
        let Some(&quote) = bytes.get(at) else { return Ok(None) };
        if !matches!(quote, b'"' | b'\'') {
            return fault("属性の値が引用符で囲まれていません", "the value of an attribute is not in quotes");
        }
        let Some(length) = bytes[at + 1..].iter().position(|b| *b == quote) else { return Ok(None) };
        pairs.push((key, at + 1..at + 1 + length));
        at += length + 2;
    }
}

fn finish(text: &str, pairs: &[Pair], start: Start) -> Result<Option<Start>, Fault> {
    let key = |pair: &Pair| &text[pair.0.clone()];
    let twice = match pairs.len() {
        0..=24 => pairs.iter().enumerate().any(|(i, p)| pairs[..i].iter().any(|q| key(q) == key(p))),
        _ => pairs.iter().map(key).collect::<HashSet<_>>().len() < pairs.len(),
    };
    match twice {
        true => fault("同じ属性が二度書かれています", "an attribute is given twice"),
        false => Ok(Some(start)),
    }
}

/// Is a value what it says, without references and line ends?
pub(super) fn is_plain(value: &str) -> bool {
    !value.bytes().fold(false, |seen, b| seen | (b == b'&') | (b < 0x20))
}

/// Appends the value of an attribute: blanks are spaces, references what they stand for.
///
/// # Errors
/// A reference to something unknown.
pub(super) fn value(written: &str, into: &mut String) -> Result<(), Fault> {
    let spaces = |piece: &str, into: &mut String| {
        let mut before = ' ';
        for c in piece.chars() {
            match c {
                '\n' if before == '\r' => {}
                '\t' | '\n' | '\r' => into.push(' '),
                other => into.push(other),
            }
            before = c;
        }
    };
    unfold(written, into, spaces, false)
}

/// Appends text: line ends are `\n`, references what they stand for. An entity of HTML, which only notes hold, is left out.
///
/// # Errors
/// A reference without end.
pub(super) fn words(written: &str, into: &mut String) -> Result<(), Fault> {
    unfold(written, into, lines, true)
}

/// Appends text with line ends as `\n`.
pub(super) fn lines(piece: &str, into: &mut String) {
    match piece.contains('\r') {
        true => into.push_str(&piece.replace("\r\n", "\n").replace('\r', "\n")),
        false => into.push_str(piece),
    }
}

fn unfold(mut rest: &str, into: &mut String, plain: impl Fn(&str, &mut String), lenient: bool) -> Result<(), Fault> {
    while let Some(at) = rest.find('&') {
        plain(&rest[..at], into);
        let after = &rest[at + 1..];
        let Some(length) = after.find([';', '&']).filter(|l| after.as_bytes()[*l] == b';') else {
            return fault("「&」の参照が「;」で終わっていません", "a reference that begins with & does not end with ;");
        };
        let name = &after[..length];
        rest = &after[length + 1..];
        match name {
            "lt" => into.push('<'),
            "gt" => into.push('>'),
            "amp" => into.push('&'),
            "quot" => into.push('"'),
            "apos" => into.push('\''),
            _ => match number(name) {
                Some(character) => into.push(character),
                None if lenient => {}
                None => return Err((format!("未知の参照 &{name}; です"), format!("an unknown reference &{name};"))),
            },
        }
    }
    plain(rest, into);
    Ok(())
}

/// The character of a reference by number.
fn number(name: &str) -> Option<char> {
    let digits = name.strip_prefix('#')?;
    let code = match digits.strip_prefix('x') {
        Some(digits) => u32::from_str_radix(digits, 16),
        None => digits.parse(),
    };
    code.ok().filter(|c| *c != 0).and_then(char::from_u32)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn ends_of_every_kind_of_markup() {
        for (text, expected) in [
            ("</a >x", Some(Markup::End(5))),
            ("<?xml version='1.0'?>", Some(Markup::Other(21))),
            ("<!-- > -- ->-->x", Some(Markup::Other(15))),
            ("<![CDATA[>]>]]>", Some(Markup::Data(15))),
            ("<!DOCTYPE a [<!ENTITY b 'c'>]>x", Some(Markup::Other(30))),
            ("<a", Some(Markup::Start)),
            ("<", None),
            ("<!", None),
            ("<!-", None),
            ("<!-- x --", None),
            ("<![CDA", None),
            ("</a", None),
        ] {
            assert_eq!(markup(text), expected, "{text}");
        }
    }

    fn check(text: &str) -> Result<Option<(usize, bool, Vec<String>)>, Fault> {
        let mut pairs = Vec::new();
        let found = start(text, &mut pairs)?;
        Ok(found.map(|s| {
            let mut words = vec![text[s.name].to_owned()];
            words.extend(pairs.iter().flat_map(|p| [text[p.0.clone()].to_owned(), text[p.1.clone()].to_owned()]));
            (s.length, s.empty, words)
        }))
    }

    #[test]
    fn start_tags() {
        let full = "<f:a b = '>\"' c=\"/>\"\n/>";
        assert_eq!(check(full), Ok(Some((23, true, ["f:a", "b", ">\"", "c", "/>"].map(String::from).to_vec()))));
        for cut in (1..full.len()).filter(|c| full.is_char_boundary(*c)) {
            assert_eq!(check(&full[..cut]), Ok(None), "{cut}");
        }
        for text in ["< a>", "<>", "<a b>", "<a b=>", "<a b=c>", "<a b='1' b='2'>", "<a /b>", "<a ='1'>", "<a<b>"] {
            assert!(check(text).is_err(), "{text}");
        }
        let many: String = (0..100).map(|i| format!(" a{i}='1'")).collect();
        assert!(check(&format!("<a{many}>")).unwrap().is_some() && check(&format!("<a{many} a7=''>")).is_err());
    }

    #[test]
    fn references_and_line_ends() {
        let of = |text: &str, how: fn(&str, &mut String) -> Result<(), Fault>| {
            let mut into = String::new();
            how(text, &mut into).map(|()| into)
        };
        assert_eq!(of("a&lt;&#98;&#x63;&amp;lt;\r\nb\tc&quot;&apos;&gt;", value), Ok("a<bc&lt; b c\"'>".into()));
        assert_eq!(of("a\r\nb\rc&nbsp;&#0;d", words), Ok("a\nb\ncd".into()));
        for text in ["&nbsp;", "&", "&a", "&a&lt;", "&#xD800;"] {
            assert!(of(text, value).is_err(), "{text}");
        }
        assert!(of("a & b", words).is_err());
    }

    proptest! {
        #[test]
        fn no_text_panics(text in "<[a-c<>/=!?\\[\\]&;#'\" -]{0,24}|<\\PC{0,24}") {
            let _ = markup(&text);
            let _ = start(&text, &mut Vec::new());
            let _ = value(&text, &mut String::new());
            let _ = words(&text, &mut String::new());
        }
    }
}
