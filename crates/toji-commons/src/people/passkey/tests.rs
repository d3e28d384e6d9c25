use super::soft::{BE, BS, Soft, UP, UV, code};
use super::*;
use proptest::prelude::*;
use serde_json::{Value as Json, json};

const ORIGIN: &str = "https://toji.example";
const NOW: Instant = Instant(1_800_000_000_000_000_000);
const CHALLENGE: [u8; 32] = [7; 32];
const HANDLE: [u8; 32] = [9; 32];

fn party() -> Party {
    Party::of_origin(ORIGIN).unwrap()
}

fn asked(party: &Party, verified: bool) -> Asked<'_> {
    Asked { party, challenge: &CHALLENGE, verified }
}

fn registered(soft: &mut Soft) -> Result<Passkey, Refused> {
    let said = soft.create(&creation(&party(), &CHALLENGE, &HANDLE, "hanako-7", &[]));
    asked(&party(), false).register(&serde_json::from_value(said).unwrap(), " key\n of the lab ", NOW)
}

fn entered(soft: &mut Soft, passkey: &Passkey, verified: bool) -> Result<Passkey, Refused> {
    let of = if verified { vec![] } else { vec![passkey.clone()] };
    let said = soft.get(&request(&party(), &CHALLENGE, &of));
    asked(&party(), verified).accept(&serde_json::from_value(said).unwrap(), passkey, &HANDLE, NOW)
}

fn unhex(text: &str) -> Vec<u8> {
    (0..text.len()).step_by(2).map(|i| u8::from_str_radix(&text[i..i + 2], 16).unwrap()).collect()
}

fn vectors() -> Vec<Vec<&'static str>> {
    include_str!("vectors.tsv").lines().filter(|line| !line.starts_with('#')).map(|line| line.split('\t').collect()).collect()
}

/// Section 16 of the specification: registrations, log-ins with their keys, and what happens within frames.
#[test]
fn the_vectors_of_the_specification() {
    let party = Party::of_origin("https://example.org").unwrap();
    let mut keys = std::collections::BTreeMap::new();
    let (mut accepted, mut refused) = (0, 0);
    for vector in vectors() {
        let [name, what, challenge, client, object, signature] = vector[..] else { panic!("{vector:?}") };
        if what == "key" {
            let eligible = name == "packed.RS256";
            let passkey = Passkey {
                id: "AAAA".into(),
                name: String::new(),
                key: encode(&unhex(object)),
                count: 0,
                eligible,
                backed_up: eligible,
                verified: false,
                transports: Vec::new(),
                created: NOW,
                used: None,
            };
            keys.insert(name, passkey);
            continue;
        }
        let challenge = unhex(challenge);
        let asked = Asked { party: &party, challenge: &challenge, verified: false };
        let (client, object) = (encode(&unhex(client)), encode(&unhex(object)));
        if what == "register" {
            let bytes = decode(&object).unwrap();
            let at = bytes.windows(8).position(|window| window == b"authData").unwrap();
            let raw = cbor::read(&bytes[at + 8..]).unwrap().0;
            let id = encode(Data::read(raw.bytes().unwrap()).unwrap().attested.unwrap().id);
            let said =
                json!({"id": id, "type": "public-key", "response": {"clientDataJSON": client, "attestationObject": object}});
            let said = serde_json::from_value(said).unwrap();
            if name.contains("Origin") {
                assert_eq!(asked.register(&said, "", NOW), Err(Refused::Framed), "{name}");
                refused += 1;
            } else {
                keys.insert(name, asked.register(&said, "", NOW).unwrap());
            }
            continue;
        }
        let passkey = &keys[name];
        let said = json!({
            "id": passkey.id, "type": "public-key",
            "response": {"clientDataJSON": client, "authenticatorData": object, "signature": encode(&unhex(signature))},
        });
        let said: Assertion = serde_json::from_value(said).unwrap();
        let used = asked.accept(&said, passkey, &HANDLE, NOW).unwrap_or_else(|refused| panic!("{name}: {refused:?}"));
        assert_eq!(used.used, Some(NOW));
        // None of these users was verified except where the flag says so; the flag is looked at.
        let flags = decode(&object).unwrap()[32];
        let strict = Asked { verified: true, ..asked }.accept(&said, passkey, &HANDLE, NOW);
        assert_eq!(strict.is_ok(), flags & UV != 0, "{name}");
        // With another key of the same kind, or one bit of the signature turned, nothing fits.
        let mut turned = unhex(signature);
        *turned.last_mut().unwrap() ^= 1;
        let other =
            Assertion { response: AssertionResponse { signature: encode(&turned), ..said.response.clone() }, ..said.clone() };
        assert_eq!(asked.accept(&other, passkey, &HANDLE, NOW), Err(Refused::Signature), "{name}");
        accepted += 1;
    }
    assert_eq!((accepted, refused), (4, 2));
}

#[test]
fn a_passkey_is_registered_and_counts() {
    for mut soft in [Soft::new(1, ORIGIN), Soft::edwards(2, ORIGIN)] {
        for format in ["none", "packed"] {
            soft.format = format;
            let passkey = registered(&mut soft).unwrap();
            assert_eq!((passkey.name.as_str(), passkey.verified, passkey.count), ("key of the lab", true, soft.count));
            assert_eq!((passkey.id.clone(), passkey.transports.clone()), (code(&soft.id), vec!["usb".to_owned()]));
            let used = entered(&mut soft, &passkey, true).unwrap();
            assert_eq!((used.count, used.used), (soft.count, Some(NOW)));
            // It is kept as JSON, and comes back the same.
            let kept = serde_json::to_string(&used).unwrap();
            assert_eq!(serde_json::from_str::<Passkey>(&kept).unwrap(), used);
        }
    }
}

/// Each thing that is wrong, by itself, at a registration and at a log-in.
#[test]
fn each_lie_is_refused_by_its_reason() {
    type Lie = (&'static str, fn(&mut Soft), Refused);
    let both: [Lie; 14] = [
        ("another ceremony", |soft| soft.sort = Some("payment.get"), Refused::Ceremony),
        ("another challenge", |soft| soft.challenge = Some(code(&[8; 32])), Refused::Challenge),
        ("a longer challenge", |soft| soft.challenge = Some(code(&[7; 33])), Refused::Challenge),
        ("no challenge", |soft| soft.challenge = Some(String::new()), Refused::Challenge),
        ("another site", |soft| soft.origin = "https://elsewhere.example".into(), Refused::Origin),
        ("another port", |soft| soft.origin = "https://toji.example:8443".into(), Refused::Origin),
        ("without TLS", |soft| soft.origin = "http://toji.example".into(), Refused::Origin),
        ("a host below", |soft| soft.origin = "https://x.toji.example".into(), Refused::Origin),
        ("in a frame", |soft| soft.more = json!({"crossOrigin": true}), Refused::Framed),
        ("under a page", |soft| soft.more = json!({"topOrigin": "https://elsewhere.example"}), Refused::Framed),
        ("another domain", |soft| soft.domain = Some("elsewhere.example".into()), Refused::Domain),
        ("nobody there", |soft| soft.flags = UV, Refused::Absent),
        ("copied and not copyable", |soft| soft.flags = UP | UV | BS, Refused::Backup),
        ("bytes too many", |soft| soft.tail = vec![0xa0], Refused::Unreadable),
    ];
    for (what, lie, refused) in both {
        let mut soft = Soft::new(1, ORIGIN);
        lie(&mut soft);
        assert_eq!(registered(&mut soft), Err(refused), "register: {what}");
        let mut soft = Soft::new(1, ORIGIN);
        let passkey = registered(&mut soft).unwrap();
        lie(&mut soft);
        assert_eq!(entered(&mut soft, &passkey, false), Err(refused), "log in: {what}");
    }
    let log_in: [Lie; 8] = [
        ("somebody else's handle", |soft| soft.handle = Some(code(b"taro")), Refused::Owner),
        ("another identifier", |soft| soft.id = vec![2; 16], Refused::Identifier),
        ("another key", |soft| soft.pair = Soft::new(1, ORIGIN).pair, Refused::Signature),
        ("another kind of key", |soft| soft.pair = Soft::edwards(1, ORIGIN).pair, Refused::Signature),
        ("a count that stands", |soft| soft.count -= 1, Refused::Counter),
        ("a count that goes back", |soft| soft.count = 1, Refused::Counter),
        ("a count that is gone", |soft| soft.count = 0, Refused::Counter),
        ("copyable of a sudden", |soft| soft.flags |= BE, Refused::Backup),
    ];
    for (what, lie, refused) in log_in {
        let mut soft = Soft::new(1, ORIGIN);
        soft.count = 5;
        let passkey = registered(&mut soft).unwrap();
        lie(&mut soft);
        assert_eq!(entered(&mut soft, &passkey, true), Err(refused), "{what}");
    }
    let mut soft = Soft::new(1, ORIGIN);
    let passkey = registered(&mut soft).unwrap();
    soft.flags = UP;
    assert_eq!(entered(&mut soft, &passkey, true), Err(Refused::Unverified));
    assert!(entered(&mut soft, &passkey, false).is_ok());
    for format in ["fido-u2f", "tpm", "android-key", "apple"] {
        let mut soft = Soft::new(1, ORIGIN);
        soft.format = format;
        assert_eq!(registered(&mut soft), Err(Refused::Attestation), "{format}");
    }
}

#[test]
fn an_authenticator_that_does_not_count_is_taken_and_one_that_is_copied_goes_on() {
    let mut soft = Soft::new(1, ORIGIN);
    (soft.count, soft.flags) = (0, UP | UV | BE);
    let passkey = registered(&mut soft).unwrap();
    assert!(passkey.eligible && !passkey.backed_up);
    soft.flags |= BS;
    let used = entered(&mut soft, &passkey, true).unwrap();
    assert!(used.backed_up && used.count == 0);
    assert!(entered(&mut soft, &used, true).is_ok());
}

#[test]
fn an_answer_to_a_registration_is_no_log_in_and_the_other_way_round() {
    let mut soft = Soft::new(1, ORIGIN);
    let passkey = registered(&mut soft).unwrap();
    soft.sort = Some("webauthn.create");
    assert_eq!(entered(&mut soft, &passkey, false), Err(Refused::Ceremony));
    soft.sort = Some("webauthn.get");
    assert_eq!(registered(&mut soft), Err(Refused::Ceremony));
}

#[test]
fn keys_that_are_none_are_refused() {
    let check = |cose: &str, expected: Refused| assert_eq!(Key::read(&unhex(cose)), Err(expected), "{cose}");
    let x = "11".repeat(32);
    check(&format!("a5010203262001215820{x}225820{x}00"), Refused::Unreadable); // something after it
    check(&format!("a501020338222002215820{x}225820{x}"), Refused::Algorithm); // ES384
    check(&format!("a50102032620032158 20{x}225820{x}").replace(' ', ""), Refused::Key); // another curve
    check(&format!("a5010203262001215820{x}22f5"), Refused::Key); // a compressed point
    check(&format!("a4010203262001215820{x}"), Refused::Key); // half a point
    check(&format!("a401030339010020590201{}2143010001", "ff".repeat(513)), Refused::Key); // too long
    check("a0", Refused::Key);
    check("80", Refused::Key);
}

/// A short RSA key reads, and no signature fits it.
#[test]
fn a_short_rsa_key_signs_nothing() {
    let key = Key::read(&unhex("a40103033901002041ff2143010001")).unwrap();
    assert!(!key.signed(b"", &[0]) && !key.signed(b"", &[1]));
}

#[test]
fn options_say_what_is_asked() {
    let passkey = registered(&mut Soft::new(1, ORIGIN)).unwrap();
    let options = creation(&party(), &CHALLENGE, &HANDLE, "hanako-7", std::slice::from_ref(&passkey));
    assert_eq!(options["rp"]["id"], "toji.example");
    assert_eq!(options["user"], json!({"id": encode(&HANDLE), "name": "hanako-7", "displayName": "hanako-7"}));
    assert_eq!(options["excludeCredentials"][0]["id"], passkey.id);
    let kinds: Vec<i64> =
        options["pubKeyCredParams"].as_array().unwrap().iter().filter_map(|kind| kind["alg"].as_i64()).collect();
    assert_eq!(kinds, [-8, -7, -257]);
    let wanted = |options: &Json| options["userVerification"].as_str().unwrap().to_owned();
    assert_eq!(wanted(&request(&party(), &CHALLENGE, &[])), "required");
    assert_eq!(wanted(&request(&party(), &CHALLENGE, &[passkey])), "preferred");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    /// Whatever byte of a true answer is changed, it counts no more.
    #[test]
    fn no_byte_of_an_answer_can_be_changed(part in 0usize..3, place in any::<prop::sample::Index>(), bit in 0u8..8) {
        let mut soft = Soft::edwards(1, ORIGIN);
        let passkey = registered(&mut soft).unwrap();
        let mut said = soft.get(&request(&party(), &CHALLENGE, &[]));
        let name = ["clientDataJSON", "authenticatorData", "signature"][part];
        let mut bytes = decode(said["response"][name].as_str().unwrap()).unwrap();
        let at = place.index(bytes.len());
        bytes[at] ^= 1 << bit;
        said["response"][name] = encode(&bytes).into();
        let said: Assertion = serde_json::from_value(said).unwrap();
        prop_assert!(asked(&party(), true).accept(&said, &passkey, &HANDLE, NOW).is_err());
    }

    #[test]
    fn nothing_is_too_strange(client in any::<Vec<u8>>(), data in any::<Vec<u8>>()) {
        let said = json!({"id": "x", "type": "public-key", "response": {
            "clientDataJSON": encode(&client), "attestationObject": encode(&data), "authenticatorData": encode(&data), "signature": "",
        }});
        let registration: Registration = serde_json::from_value(said).unwrap();
        prop_assert!(asked(&party(), false).register(&registration, "", NOW).is_err());
        let _ = Data::read(&data);
        let _ = Key::read(&data);
    }
}
