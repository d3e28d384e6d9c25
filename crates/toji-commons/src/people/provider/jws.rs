//! Signed tokens (RFC 7515) and the keys of a provider (RFC 7517).

use super::Wrong;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::signature::{
    ECDSA_P256_SHA256_FIXED, ED25519, RSA_PKCS1_2048_8192_SHA256, RSA_PSS_2048_8192_SHA256, RsaParameters,
    RsaPublicKeyComponents, UnparsedPublicKey,
};
use serde::Deserialize;

/// Ways of signing that are taken. None of them shares a secret, and `none` is none of them.
pub const ALGORITHMS: [&str; 4] = ["RS256", "PS256", "ES256", "EdDSA"];
/// Bytes of a token, at most.
const TOKEN_MOST: usize = 32 << 10;
/// Keys of a provider, at most.
const KEYS_MOST: usize = 100;
/// Bytes of a modulus, at most.
const RSA_MOST: usize = 1024;

/// The public keys of a provider.
#[derive(Debug, Clone, Default)]
pub struct Keys(Vec<Key>);

#[derive(Debug, Clone, Deserialize)]
struct Key {
    kty: String,
    #[serde(default)]
    kid: Option<String>,
    #[serde(default, rename = "use")]
    purpose: Option<String>,
    #[serde(default)]
    alg: Option<String>,
    #[serde(default)]
    crv: Option<String>,
    #[serde(default)]
    n: Option<String>,
    #[serde(default)]
    e: Option<String>,
    #[serde(default)]
    x: Option<String>,
    #[serde(default)]
    y: Option<String>,
}

#[derive(Deserialize)]
struct Header {
    alg: String,
    #[serde(default)]
    kid: Option<String>,
    #[serde(default)]
    crit: Option<serde_json::Value>,
}

#[derive(Deserialize)]
struct Set {
    keys: Vec<serde_json::Value>,
}

fn decode(text: &str) -> Option<Vec<u8>> {
    URL_SAFE_NO_PAD.decode(text).ok()
}

impl Keys {
    /// Reads a set of keys; those of kinds that are not known are passed over, as RFC 7517 §5 asks for.
    ///
    /// # Errors
    /// It is no set of keys.
    pub fn read(bytes: &[u8]) -> Result<Self, Wrong> {
        let set: Set = serde_json::from_slice(bytes).map_err(|_| Wrong::Unreadable)?;
        Ok(Self(set.keys.into_iter().take(KEYS_MOST).filter_map(|key| serde_json::from_value(key).ok()).collect()))
    }

    /// What a token says, when one of these keys signed it. Keys that a token brings along are not looked at.
    ///
    /// # Errors
    /// [`Wrong::Key`] when its key is not among these, which newer ones may hold; any other when it is not taken.
    pub fn open(&self, token: &str) -> Result<Vec<u8>, Wrong> {
        if token.len() > TOKEN_MOST {
            return Err(Wrong::Unreadable);
        }
        let (signed, signature) = token.rsplit_once('.').ok_or(Wrong::Unreadable)?;
        let (header, payload) = signed.split_once('.').ok_or(Wrong::Unreadable)?;
        let header = decode(header).ok_or(Wrong::Unreadable)?;
        let header: Header = serde_json::from_slice(&header).map_err(|_| Wrong::Unreadable)?;
        // What it calls critical would have to be understood (§4.1.11), and nothing is.
        if !ALGORITHMS.contains(&header.alg.as_str()) || header.crit.is_some() {
            return Err(Wrong::Algorithm);
        }
        let signature = decode(signature).ok_or(Wrong::Unreadable)?;
        let payload = decode(payload).ok_or(Wrong::Unreadable)?;
        let fitting: Vec<&Key> = self.0.iter().filter(|key| key.fits(&header)).collect();
        // A token that names no key is taken where there is one alone that it can be.
        if fitting.is_empty() || (header.kid.is_none() && fitting.len() > 1) {
            return Err(Wrong::Key);
        }
        let fits = fitting.iter().any(|key| key.signed(&header.alg, signed.as_bytes(), &signature));
        if fits { Ok(payload) } else { Err(Wrong::Signature) }
    }
}

impl Key {
    fn fits(&self, header: &Header) -> bool {
        let kind = match header.alg.as_str() {
            "RS256" | "PS256" => self.kty == "RSA",
            "ES256" => self.kty == "EC" && self.crv.as_deref() == Some("P-256"),
            "EdDSA" => self.kty == "OKP" && self.crv.as_deref() == Some("Ed25519"),
            _ => false,
        };
        kind && self.purpose.as_deref().is_none_or(|purpose| purpose == "sig")
            && self.alg.as_deref().is_none_or(|alg| alg == header.alg)
            && header.kid.as_ref().is_none_or(|kid| self.kid.as_ref() == Some(kid))
    }

    fn signed(&self, alg: &str, message: &[u8], signature: &[u8]) -> bool {
        let part = |text: &Option<String>| text.as_deref().and_then(decode);
        let rsa = |how: &RsaParameters| {
            let (Some(n), Some(e)) = (part(&self.n), part(&self.e)) else { return false };
            let n: Vec<u8> = n.into_iter().skip_while(|b| *b == 0).collect();
            n.len() <= RSA_MOST && RsaPublicKeyComponents { n, e }.verify(how, message, signature).is_ok()
        };
        match alg {
            "RS256" => rsa(&RSA_PKCS1_2048_8192_SHA256),
            "PS256" => rsa(&RSA_PSS_2048_8192_SHA256),
            "ES256" => {
                let (Some(x), Some(y)) = (part(&self.x), part(&self.y)) else { return false };
                let point = [&[4][..], &x, &y].concat();
                x.len() == 32 && UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, point).verify(message, signature).is_ok()
            }
            "EdDSA" => part(&self.x).is_some_and(|x| UnparsedPublicKey::new(&ED25519, x).verify(message, signature).is_ok()),
            _ => false,
        }
    }
}
