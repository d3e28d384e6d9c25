use super::*;
use proptest::prelude::*;
use serde_json::{Value as Json, json};
use toji_core::Instant;

const ISSUER: &str = "https://id.example";
const NOW_S: i64 = 1_800_000_000;

fn at(seconds: i64) -> Instant {
    Instant((NOW_S + seconds) * 1_000_000_000)
}

fn expected() -> Expected<'static> {
    Expected { issuer: ISSUER, client: "toji", nonce: "n-0S6_WzA2Mj", now: at(0) }
}

fn claims() -> Json {
    json!({"iss": ISSUER, "sub": "3f9a", "aud": "toji", "exp": NOW_S + 300, "iat": NOW_S, "nonce": "n-0S6_WzA2Mj"})
}

/// Tokens of another implementation (`tokens.py`), true ones and such as nobody may take.
#[test]
fn tokens_of_another_implementation_are_judged_as_they_are_meant() {
    let made: Json = serde_json::from_str(include_str!("tokens.json")).unwrap();
    let keys = Keys::read(made["jwks"].to_string().as_bytes()).unwrap();
    let tokens = made["tokens"].as_array().unwrap();
    assert!(tokens.len() >= 20);
    for token in tokens {
        let opened = keys.open(token["token"].as_str().unwrap());
        let told = opened.as_ref().map_or_else(|wrong| format!("{wrong:?}"), |_| "ok".to_owned());
        assert_eq!(told, token["expected"].as_str().unwrap(), "{}", token["name"]);
        if let Ok(payload) = opened {
            assert_eq!(expected().check(&payload).unwrap().text("sub"), Some("3f9a"));
        }
    }
    // Without its keys nothing is taken.
    for token in tokens {
        assert!(Keys::default().open(token["token"].as_str().unwrap()).is_err());
    }
}

#[test]
fn each_claim_is_looked_at() {
    type Change = (&'static str, Json, Result<(), Wrong>);
    let cases: [Change; 31] = [
        ("iss", json!("https://id.example/"), Err(Wrong::Issuer)),
        ("iss", json!("http://id.example"), Err(Wrong::Issuer)),
        ("iss", Json::Null, Err(Wrong::Issuer)),
        ("aud", json!("other"), Err(Wrong::Audience)),
        ("aud", json!(["toji"]), Ok(())),
        ("aud", json!(["toji", "other"]), Err(Wrong::Audience)),
        ("aud", json!([]), Err(Wrong::Audience)),
        ("aud", Json::Null, Err(Wrong::Audience)),
        ("azp", json!("toji"), Ok(())),
        ("azp", json!("other"), Err(Wrong::Audience)),
        ("azp", json!(7), Err(Wrong::Audience)),
        ("exp", json!(NOW_S - 59), Ok(())),
        ("exp", json!(NOW_S - 60), Err(Wrong::Late)),
        ("exp", json!("soon"), Err(Wrong::Unreadable)),
        ("exp", Json::Null, Err(Wrong::Unreadable)),
        ("exp", json!(1.8e9 + 300.5), Ok(())),
        ("exp", json!(i64::MAX), Ok(())),
        ("iat", json!(NOW_S + 60), Ok(())),
        ("iat", json!(NOW_S + 61), Err(Wrong::Early)),
        ("iat", json!(NOW_S - 659), Ok(())),
        ("iat", json!(NOW_S - 660), Err(Wrong::Late)),
        ("iat", Json::Null, Err(Wrong::Unreadable)),
        ("nbf", json!(NOW_S + 60), Ok(())),
        ("nbf", json!(NOW_S + 61), Err(Wrong::Early)),
        ("nbf", json!("now"), Err(Wrong::Unreadable)),
        ("nonce", json!("another"), Err(Wrong::Nonce)),
        ("nonce", Json::Null, Err(Wrong::Nonce)),
        ("sub", json!(""), Err(Wrong::Subject)),
        ("sub", json!("x".repeat(256)), Err(Wrong::Subject)),
        ("sub", json!("x".repeat(255)), Ok(())),
        ("sub", json!(["3f9a"]), Err(Wrong::Subject)),
    ];
    for (name, value, told) in cases {
        let mut claims = claims();
        claims[name] = value.clone();
        if value.is_null() {
            claims.as_object_mut().unwrap().remove(name);
        }
        assert_eq!(expected().check(claims.to_string().as_bytes()).map(|_| ()), told, "{name} {value}");
    }
    assert_eq!(expected().check(b"[]").unwrap_err(), Wrong::Issuer);
    assert_eq!(expected().check(b"{").unwrap_err(), Wrong::Unreadable);
}

#[test]
fn a_mail_address_counts_when_the_provider_made_sure_of_it() {
    let mut claims = claims();
    claims["email"] = "hanako@acme.example".into();
    let check = |claims: &Json| expected().check(claims.to_string().as_bytes()).unwrap().text("email").map(str::to_owned);
    assert_eq!(check(&claims), None);
    claims["email_verified"] = "true".into();
    assert_eq!(check(&claims), None);
    claims["email_verified"] = true.into();
    assert_eq!(check(&claims).as_deref(), Some("hanako@acme.example"));
}

#[test]
fn a_provider_is_who_it_was_configured_to_be() {
    let metadata = |changes: &[(&str, Json)]| {
        let mut metadata = json!({
            "issuer": ISSUER, "authorization_endpoint": "https://id.example/authorize",
            "token_endpoint": "https://id.example/token", "jwks_uri": "https://keys.example/jwks",
        });
        for (name, value) in changes {
            metadata[*name] = value.clone();
        }
        Metadata::read(metadata.to_string().as_bytes(), ISSUER)
    };
    assert!(metadata(&[]).is_ok());
    assert_eq!(metadata(&[("issuer", json!("https://id.example/"))]).unwrap_err(), Wrong::Issuer);
    assert_eq!(metadata(&[("token_endpoint", json!("http://id.example/token"))]).unwrap_err(), Wrong::Metadata);
    assert_eq!(metadata(&[("jwks_uri", json!("file:///etc/passwd"))]).unwrap_err(), Wrong::Metadata);
    assert_eq!(metadata(&[("jwks_uri", Json::Null)]).unwrap_err(), Wrong::Unreadable);
    // Which issuer came back: looked at when it is told, and asked for when the provider says that it tells.
    let plain = metadata(&[]).unwrap();
    assert!(plain.came_from(None) && plain.came_from(Some(ISSUER)) && !plain.came_from(Some("https://evil.example")));
    let tells = metadata(&[("authorization_response_iss_parameter_supported", json!(true))]).unwrap();
    assert!(!tells.came_from(None) && tells.came_from(Some(ISSUER)));
    assert!(plain.takes_basic());
    assert!(!metadata(&[("token_endpoint_auth_methods_supported", json!(["client_secret_post"]))]).unwrap().takes_basic());
}

#[test]
fn a_secret_goes_over_tls_or_stays_on_this_machine() {
    let check = |address: &str, expected: bool| assert_eq!(is_safe(address), expected, "{address}");
    check("https://id.example", true);
    check("https://id.example:8443/realms/x", true);
    check("http://localhost:9000/x", true);
    check("http://127.0.0.1:9000", true);
    check("http://[::1]:9000", true);
    check("http://localhost", true);
    check("http://id.example", false);
    check("http://localhost.example", false);
    check("http://127.0.0.1.example", false);
    check("http://127.0.0.1@id.example", false);
    check("https://user@id.example", false);
    check("https://", false);
    check("https://id.example/ x", false);
    check("ftp://id.example", false);
    check("", false);
}

/// RFC 7636, appendix B.
#[test]
fn the_challenge_is_the_hash_of_the_verifier() {
    let bytes: [u8; SECRET_BYTES] = [
        116, 24, 223, 180, 151, 153, 224, 37, 79, 250, 96, 125, 216, 173, 187, 186, 22, 212, 37, 77, 105, 214, 191, 240, 91, 88,
        5, 88, 83, 132, 141, 121,
    ];
    let secrets = Secrets::draw([1; SECRET_BYTES], [2; SECRET_BYTES], bytes);
    assert_eq!(secrets.verifier, "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk");
    assert_eq!(secrets.challenge(), "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM");
    let metadata = json!({
        "issuer": ISSUER, "authorization_endpoint": "https://id.example/authorize?x=1",
        "token_endpoint": "https://id.example/token", "jwks_uri": "https://id.example/jwks",
    });
    let metadata = Metadata::read(metadata.to_string().as_bytes(), ISSUER).unwrap();
    let address = authorization(&metadata, "to ji&x", "https://toji.example/signed-in", "openid", &secrets);
    assert!(address.starts_with("https://id.example/authorize?x=1&response_type=code&client_id=to%20ji%26x&redirect_uri=https%3A%2F%2Ftoji.example%2Fsigned-in&"), "{address}");
    assert!(address.ends_with("&code_challenge=E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM&code_challenge_method=S256"));
    assert!(
        address.contains(&format!("&state={}&nonce={}&", secrets.state, secrets.nonce)) && !address.contains(&secrets.verifier)
    );
}

proptest! {
    #[test]
    fn no_token_is_too_strange(token in "\\PC{0,80}", bytes in any::<Vec<u8>>()) {
        let keys = Keys::read(br#"{"keys": [{"kty": "OKP", "crv": "Ed25519", "x": "AAAA"}]}"#).unwrap();
        prop_assert!(keys.open(&token).is_err());
        prop_assert!(expected().check(&bytes).is_err());
        let _ = Keys::read(&bytes);
        let _ = Metadata::read(&bytes, ISSUER);
    }
}
