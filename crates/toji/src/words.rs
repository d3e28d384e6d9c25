//! Words of the command line itself, in both languages, and line breaks that Japanese allows.

use toji_core::{Lang, Text};
use unicode_width::UnicodeWidthChar;

/// One of two wordings.
pub(crate) fn say(lang: Lang, ja: &'static str, en: &'static str) -> &'static str {
    if lang == Lang::Ja { ja } else { en }
}

/// The text in a language, owned.
pub(crate) fn pick(text: &Text, lang: Lang) -> String {
    text.get(lang).to_owned()
}

/// Signs that may not begin a line.
const NOT_FIRST: &str = "、。，．・：；？！）］｝」』】〉》ー々ぁぃぅぇぉっゃゅょァィゥェォッャュョ,.;:?!)]}";

/// Breaks lines at `columns` of a terminal: English between words, Japanese between characters.
pub(crate) fn wrap(text: &str, columns: usize) -> String {
    text.lines().map(|line| wrap_line(line, columns)).collect::<Vec<_>>().join("\n")
}

fn wrap_line(line: &str, columns: usize) -> String {
    let mut out = String::new();
    let mut used = 0;
    for piece in pieces(line) {
        let width: usize = piece.chars().map(|c| c.width().unwrap_or(0)).sum();
        let bare = piece.trim_end().chars().map(|c| c.width().unwrap_or(0)).sum::<usize>();
        let hangs = piece.chars().next().is_some_and(|c| NOT_FIRST.contains(c));
        if used > 0 && used + bare > columns && !hangs {
            out.truncate(out.trim_end().len());
            out.push('\n');
            used = 0;
        }
        out.push_str(&piece);
        used += width;
    }
    out
}

/// Parts between which a line may break.
fn pieces(line: &str) -> Vec<String> {
    let mut out: Vec<String> = Vec::new();
    let mut open = false;
    for c in line.chars() {
        let wide = c.width().unwrap_or(0) > 1;
        match out.last_mut() {
            Some(last) if open && !wide => last.push(c),
            _ => out.push(c.to_string()),
        }
        open = !wide && c != ' ';
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_break_where_each_language_allows() {
        let check = |text: &str, columns: usize, expected: &str| assert_eq!(wrap(text, columns), expected);
        check("one two three", 8, "one two\nthree");
        check("装置のファイルを読む。", 10, "装置のファ\nイルを読む。");
        check("CSV を読む", 6, "CSV を\n読む");
        check("short", 80, "short");
        check("a\nb", 80, "a\nb");
    }
}
