//! Which provider, as who, and who of its people is whom here: a file in TOML that `toji serve --provider` names.

use serde::Deserialize;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use toji_core::{Error, Place, Result};
use toji_ops::provider::is_safe;

/// The configuration of a provider.
#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ProviderSettings {
    /// Its issuer, letter for letter.
    pub(super) issuer: String,
    /// What it is called on the button.
    pub(super) name: String,
    /// As whom this server is known there.
    pub(super) client_id: String,
    /// A file that holds the secret of the client.
    #[serde(default)]
    client_secret_file: Option<PathBuf>,
    /// A variable of the environment that does.
    #[serde(default)]
    client_secret_env: Option<String>,
    /// Which claim says who somebody is.
    #[serde(default = "subject")]
    pub(super) claim: String,
    /// Users by that claim; nobody else gets in.
    pub(super) users: BTreeMap<String, String>,
    /// More scopes than `openid`.
    #[serde(default)]
    pub(super) scopes: Vec<String>,
    /// The provider asks everybody for a second factor, and its log-in stands for ours.
    #[serde(default)]
    pub(super) asks_second_factor: bool,
    /// Certificates (PEM) that are trusted for it in place of the system's.
    #[serde(default)]
    pub(super) ca_file: Option<PathBuf>,
    /// The secret, once it is read.
    #[serde(skip)]
    pub(super) secret: Option<String>,
}

impl std::fmt::Debug for ProviderSettings {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ProviderSettings").field("issuer", &self.issuer).finish_non_exhaustive()
    }
}

fn subject() -> String {
    "sub".into()
}

fn fault(field: &str, ja: &str, en: &str) -> Error {
    Error::input(
        "E-PROVIDER-001",
        format!("プロバイダーの設定「{field}」が正しくありません: {ja}"),
        format!("the provider's setting `{field}` is wrong: {en}"),
    )
    .at(Place::field(field))
    .hint("利用者とログインの手引きの例をご覧ください", "see the example in the guide on accounts")
}

impl ProviderSettings {
    /// Reads a file, and the secret that it names.
    ///
    /// # Errors
    /// `E-PROVIDER-001`: what is missing, too much, or not safe.
    pub fn open(path: &Path) -> Result<Self> {
        let text = std::fs::read_to_string(path).map_err(|e| fault("file", &e.to_string(), &e.to_string()))?;
        Self::read(&text, |name| std::env::var(name).ok())
    }

    /// Reads a text. `variable` knows the environment.
    ///
    /// # Errors
    /// As [`Self::open`].
    pub fn read(text: &str, variable: impl Fn(&str) -> Option<String>) -> Result<Self> {
        // What stands on the line of a fault is not repeated: a secret may have been typed there.
        let mut settings: Self = toml::from_str(text).map_err(|e| fault("file", e.message(), e.message()))?;
        if !is_safe(&settings.issuer) || settings.issuer.contains(['?', '#']) {
            return Err(fault(
                "issuer",
                "https のアドレスにしてください (http はこの機械だけ)",
                "give an address with https (http is for this machine alone)",
            ));
        }
        if settings.client_id.is_empty() || settings.name.trim().is_empty() || settings.claim.is_empty() {
            return Err(fault("client_id, name, claim", "空にできません", "they cannot be empty"));
        }
        let plain = |scope: &String| scope.bytes().all(|b| b.is_ascii_graphic() && b != b'"' && b != b'\\') && !scope.is_empty();
        if !settings.scopes.iter().all(plain) {
            return Err(fault("scopes", "空白や引用符は使えません", "neither blanks nor quotation marks"));
        }
        if settings.users.is_empty() {
            return Err(fault("users", "誰もログインできません", "nobody could log in"));
        }
        settings.secret = match (&settings.client_secret_file, &settings.client_secret_env) {
            (Some(_), Some(_)) => {
                return Err(fault("client_secret", "どちらか一つにしてください", "give the file or the variable"));
            }
            (Some(path), None) => {
                let read = std::fs::read_to_string(path);
                Some(read.map_err(|e| fault("client_secret_file", &e.to_string(), &e.to_string()))?.trim().to_owned())
            }
            (None, Some(name)) => {
                let value = variable(name).map(|value| value.trim().to_owned());
                Some(value.ok_or_else(|| fault("client_secret_env", "環境変数がありません", "there is no such variable"))?)
            }
            (None, None) => None,
        };
        if settings.secret.as_ref().is_some_and(String::is_empty) {
            return Err(fault("client_secret", "空です", "it is empty"));
        }
        Ok(settings)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const WHOLE: &str = r#"
issuer = "https://id.example"
name = "Acme ID"
client_id = "toji"
client_secret_env = "SECRET"
[users]
"3f9a" = "hanako-7"
"#;

    fn read(text: &str) -> std::result::Result<ProviderSettings, (&'static str, Option<String>)> {
        let variable = |name: &str| (name == "SECRET").then(|| " hush-hush\n".to_owned());
        ProviderSettings::read(text, variable)
            .map_err(|e| (e.code(), e.fault().place.as_ref().and_then(|place| place.field.clone())))
    }

    #[test]
    fn a_whole_configuration_is_read_and_its_secret_is_not_shown() {
        let settings = read(WHOLE).unwrap();
        assert_eq!((settings.claim.as_str(), settings.asks_second_factor), ("sub", false));
        assert_eq!(settings.secret.as_deref(), Some("hush-hush"));
        assert!(!format!("{settings:?}").contains("hush"));
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("secret");
        std::fs::write(&file, "from a file\n").unwrap();
        let text = WHOLE.replace("client_secret_env = \"SECRET\"", &format!("client_secret_file = {file:?}"));
        assert_eq!(read(&text).unwrap().secret.as_deref(), Some("from a file"));
        assert_eq!(read(&WHOLE.replace("client_secret_env = \"SECRET\"", "")).unwrap().secret, None);
    }

    #[test]
    fn what_is_not_safe_is_refused() {
        let check = |from: &str, to: &str, field: &str| {
            let told = read(&WHOLE.replace(from, to)).unwrap_err();
            assert_eq!(told, ("E-PROVIDER-001", Some(field.to_owned())), "{to}");
        };
        check("https://id.example", "http://id.example", "issuer");
        check("https://id.example", "https://id.example?x", "issuer");
        check("https://id.example", "id.example", "issuer");
        check("\"SECRET\"", "\"OTHER\"", "client_secret_env");
        check("client_secret_env = \"SECRET\"", "client_secret_file = \"/no/such/file\"", "client_secret_file");
        check("\"3f9a\" = \"hanako-7\"", "", "users");
        check("\"toji\"", "\"\"", "client_id, name, claim");
        check("client_id", "roles = [\"operator\"]\nclient_id", "file");
        check("client_id", "client_secret = \"typed here\"\nclient_id", "file");
        let typed = ProviderSettings::read(&WHOLE.replace("client_id", "client_secret = \"typed here\"\nclient_id"), |_| None);
        assert!(!typed.unwrap_err().to_string().contains("typed here"));
    }
}
