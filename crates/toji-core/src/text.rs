//! Words for people, always in both languages.
//!
//! A [`Text`] cannot be built from one language alone, so a missing translation does not compile.

use serde::{Deserialize, Serialize};

/// A language of the interface.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Lang {
    /// Japanese.
    Ja,
    /// English.
    #[default]
    En,
}

impl Lang {
    /// Reads a locale such as `ja_JP.UTF-8`, `ja` or `en`; anything not Japanese is English.
    #[must_use]
    pub fn from_locale(locale: &str) -> Self {
        if locale.to_ascii_lowercase().starts_with("ja") { Self::Ja } else { Self::En }
    }
}

/// One message or label in Japanese and English.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Text {
    /// Japanese.
    ///
    /// 日本語。
    pub ja: String,
    /// English.
    ///
    /// 英語。
    pub en: String,
}

impl Text {
    /// Both languages at once, Japanese first.
    pub fn new(ja: impl Into<String>, en: impl Into<String>) -> Self {
        Self { ja: ja.into(), en: en.into() }
    }

    /// The same words in both languages: for names, codes and quoted input.
    pub fn same(words: impl Into<String>) -> Self {
        let words = words.into();
        Self { ja: words.clone(), en: words }
    }

    /// The words in one language.
    #[must_use]
    pub fn get(&self, lang: Lang) -> &str {
        match lang {
            Lang::Ja => &self.ja,
            Lang::En => &self.en,
        }
    }
}
