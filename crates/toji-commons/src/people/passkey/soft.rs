//! An authenticator in software, for tests: it makes keys and signs as a security key and the browser before it do,
//! and lies where it is told to.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::rand::SystemRandom;
use ring::signature::{ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair, Ed25519KeyPair, KeyPair as _};
use serde_json::{Value as Json, json};

/// Somebody was there.
pub(crate) const UP: u8 = 1;
/// They showed who they are.
pub(crate) const UV: u8 = 4;
/// The key may be copied.
pub(crate) const BE: u8 = 8;
/// It is.
pub(crate) const BS: u8 = 16;
const AT: u8 = 64;

pub(crate) enum Pair {
    P256(EcdsaKeyPair),
    Ed(Ed25519KeyPair),
}

/// One key on one authenticator; what it says can be changed between two ceremonies.
pub(crate) struct Soft {
    pub(crate) pair: Pair,
    pub(crate) id: Vec<u8>,
    /// Origin of the page that the browser sees.
    pub(crate) origin: String,
    /// Domain it takes itself to be bound to; that of the options when it is `None`.
    pub(crate) domain: Option<String>,
    pub(crate) flags: u8,
    pub(crate) count: u32,
    /// What the browser calls the ceremony, in place of what it is.
    pub(crate) sort: Option<&'static str>,
    /// The challenge that is answered, in place of that of the options.
    pub(crate) challenge: Option<String>,
    /// More fields of the client data.
    pub(crate) more: Json,
    /// Format of the statement about the device.
    pub(crate) format: &'static str,
    /// The handle of its owner, as a registration gave it.
    pub(crate) handle: Option<String>,
    /// Bytes after the authenticator data.
    pub(crate) tail: Vec<u8>,
}

impl Soft {
    pub(crate) fn new(id: u8, origin: &str) -> Self {
        let random = SystemRandom::new();
        let pkcs8 = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_ASN1_SIGNING, &random).unwrap();
        let pair = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_ASN1_SIGNING, pkcs8.as_ref(), &random).unwrap();
        Self::with(Pair::P256(pair), id, origin)
    }
    pub(crate) fn edwards(id: u8, origin: &str) -> Self {
        let pkcs8 = Ed25519KeyPair::generate_pkcs8(&SystemRandom::new()).unwrap();
        Self::with(Pair::Ed(Ed25519KeyPair::from_pkcs8(pkcs8.as_ref()).unwrap()), id, origin)
    }
    fn with(pair: Pair, id: u8, origin: &str) -> Self {
        Self {
            pair,
            id: vec![id; 16],
            origin: origin.to_owned(),
            domain: None,
            flags: UP | UV,
            count: 1,
            sort: None,
            challenge: None,
            more: json!({"crossOrigin": false}),
            format: "none",
            handle: None,
            tail: Vec::new(),
        }
    }

    pub(crate) fn cose(&self) -> Vec<u8> {
        match &self.pair {
            Pair::P256(pair) => {
                let point = pair.public_key().as_ref();
                let (head, middle) = ([0xa5, 1, 2, 3, 0x26, 0x20, 1, 0x21, 0x58, 0x20], [0x22, 0x58, 0x20]);
                [&head[..], &point[1..33], &middle, &point[33..]].concat()
            }
            Pair::Ed(pair) => [&[0xa4, 1, 1, 3, 0x27, 0x20, 6, 0x21, 0x58, 0x20][..], pair.public_key().as_ref()].concat(),
        }
    }
    pub(crate) fn sign(&self, message: &[u8]) -> Vec<u8> {
        match &self.pair {
            Pair::P256(pair) => pair.sign(&SystemRandom::new(), message).unwrap().as_ref().to_vec(),
            Pair::Ed(pair) => pair.sign(message).as_ref().to_vec(),
        }
    }

    fn client(&self, sort: &str, options: &Json) -> Vec<u8> {
        let challenge = self.challenge.clone().unwrap_or_else(|| options["challenge"].as_str().unwrap().to_owned());
        let mut client = json!({"type": self.sort.unwrap_or(sort), "challenge": challenge, "origin": self.origin});
        for (name, value) in self.more.as_object().unwrap() {
            client[name] = value.clone();
        }
        client.to_string().into_bytes()
    }
    fn data(&self, domain: &str, flags: u8) -> Vec<u8> {
        let domain = self.domain.as_deref().unwrap_or(domain);
        [sha256(domain.as_bytes()).as_slice(), &[flags], &self.count.to_be_bytes()].concat()
    }

    /// `navigator.credentials.create`.
    pub(crate) fn create(&mut self, options: &Json) -> Json {
        self.handle = options["user"]["id"].as_str().map(str::to_owned);
        let client = self.client("webauthn.create", options);
        let mut data = self.data(options["rp"]["id"].as_str().unwrap(), self.flags | AT);
        data.extend([0; 16]);
        data.extend(u16::try_from(self.id.len()).unwrap().to_be_bytes());
        data.extend(&self.id);
        data.extend(self.cose());
        data.extend(&self.tail);
        let mut object = vec![0xa3, 0x63];
        object.extend(b"fmt");
        object.push(0x60 + u8::try_from(self.format.len()).unwrap());
        object.extend(self.format.as_bytes());
        object.push(0x67);
        object.extend(b"attStmt");
        if self.format == "packed" {
            let algorithm = if matches!(self.pair, Pair::P256(_)) { 0x26 } else { 0x27 };
            let signature = self.sign(&[&data[..], &sha256(&client)].concat());
            object.extend([0xa2, 0x63]);
            object.extend(b"alg");
            object.extend([algorithm, 0x63]);
            object.extend(b"sig");
            object.extend([0x58, u8::try_from(signature.len()).unwrap()]);
            object.extend(signature);
        } else {
            object.push(0xa0);
        }
        object.push(0x68);
        object.extend(b"authData");
        object.push(0x59);
        object.extend(u16::try_from(data.len()).unwrap().to_be_bytes());
        object.extend(data);
        json!({
            "id": code(&self.id), "rawId": code(&self.id), "type": "public-key",
            "authenticatorAttachment": "cross-platform", "clientExtensionResults": {},
            "response": {"clientDataJSON": code(&client), "attestationObject": code(&object), "transports": ["usb"]},
        })
    }

    /// `navigator.credentials.get`.
    pub(crate) fn get(&mut self, options: &Json) -> Json {
        self.count = self.count.saturating_add(u32::from(self.count > 0));
        let client = self.client("webauthn.get", options);
        let mut data = self.data(options["rpId"].as_str().unwrap(), self.flags);
        data.extend(&self.tail);
        let signature = self.sign(&[&data[..], &sha256(&client)].concat());
        json!({
            "id": code(&self.id), "rawId": code(&self.id), "type": "public-key", "clientExtensionResults": {},
            "response": {
                "clientDataJSON": code(&client), "authenticatorData": code(&data), "signature": code(&signature),
                "userHandle": self.handle,
            },
        })
    }
}

pub(crate) fn code(bytes: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

fn sha256(bytes: &[u8]) -> [u8; 32] {
    ring::digest::digest(&ring::digest::SHA256, bytes).as_ref().try_into().unwrap()
}
