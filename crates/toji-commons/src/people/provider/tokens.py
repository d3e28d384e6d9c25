#!/usr/bin/env python3
"""Writes tokens.json: ID tokens signed by PyJWT 2 (with cryptography), and what a client has to say to each.

    pip install 'PyJWT[crypto]' && python3 tokens.py > tokens.json

The private keys are drawn anew each time and not kept. Times are seconds since 1970; the tokens are asked for at 1800000000.
"""
import base64
import hashlib
import hmac
import json

import cryptography
import jwt
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa

NOW = 1_800_000_000
CLAIMS = {"iss": "https://id.example", "sub": "3f9a", "aud": "toji", "exp": NOW + 300, "iat": NOW, "nonce": "n-0S6_WzA2Mj"}


def b64(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def jwk(key, kid, alg):
    algorithm = {"RS256": jwt.algorithms.RSAAlgorithm, "PS256": jwt.algorithms.RSAAlgorithm,
                 "ES256": jwt.algorithms.ECAlgorithm, "EdDSA": jwt.algorithms.OKPAlgorithm}[alg]
    made = json.loads(algorithm.to_jwk(key.public_key()))
    made.pop("key_ops", None)
    return {**made, "kid": kid, "use": "sig"}


keys = {
    "rsa": (rsa.generate_private_key(public_exponent=65537, key_size=2048), "RS256"),
    "ec": (ec.generate_private_key(ec.SECP256R1()), "ES256"),
    "ed": (ed25519.Ed25519PrivateKey.generate(), "EdDSA"),
}
small = rsa.generate_private_key(public_exponent=65537, key_size=1024)
other = ec.generate_private_key(ec.SECP256R1())
tokens = []


def add(name, token, expected):
    tokens.append({"name": name, "token": token, "expected": expected})


def signed(kid, alg, key=None, claims=None, **headers):
    named = {"kid": kid} if kid else {}
    return jwt.encode(claims or CLAIMS, key or keys[kid][0], algorithm=alg, headers={**named, **headers})


for kid, (_, alg) in keys.items():
    add(f"{alg}", signed(kid, alg), "ok")
add("PS256", signed("rsa", "PS256"), "ok")
add("no kid, one key fits", jwt.encode(CLAIMS, keys["ed"][0], algorithm="EdDSA"), "ok")
add("alg none", jwt.encode(CLAIMS, None, algorithm="none"), "Algorithm")
add("alg none with kid", jwt.encode(CLAIMS, None, algorithm="none", headers={"kid": "ec"}), "Algorithm")
head = {"alg": "HS256", "kid": "rsa", "typ": "JWT"}
body = f"{b64(json.dumps(head).encode())}.{b64(json.dumps(CLAIMS).encode())}"
pem = keys["rsa"][0].public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
add("the public key as a shared secret", f"{body}.{b64(hmac.new(pem, body.encode(), hashlib.sha256).digest())}", "Algorithm")
add("RS512", signed("rsa", "RS512"), "Algorithm")
add("another key under a known name", signed("ec", "ES256", key=other), "Signature")
add("a key that is not named", signed("new", "ES256", key=other), "Key")
add("the name of a key of another kind", jwt.encode(CLAIMS, keys["ec"][0], algorithm="ES256", headers={"kid": "rsa"}), "Key")
add("a key brought along", jwt.encode(CLAIMS, other, algorithm="ES256", headers={"jwk": jwk(other, "own", "ES256")}), "Signature")
add("something critical", signed("ec", "ES256", crit=["exp"]), "Algorithm")
add("a key that is too short", signed("small", "RS256", key=small), "Signature")
head, payload, signature = signed("ec", "ES256").split(".")
forged = b64(json.dumps({**CLAIMS, "sub": "admin"}).encode())
add("another payload", f"{head}.{forged}.{signature}", "Signature")
add("no signature", f"{head}.{payload}.", "Signature")
add("padding", f"{head}.{payload}.{signature}=", "Unreadable")
add("four parts", f"{head}.{payload}.{signature}.x", "Unreadable")
add("nothing", "", "Unreadable")
jwks = {"keys": [jwk(key, kid, alg) for kid, (key, alg) in keys.items()]
        + [jwk(small, "small", "RS256"), {"kty": "oct", "k": "AAAA", "kid": "oct"}, {"kid": "no kind"}]}
made_by = f"PyJWT {jwt.__version__}, cryptography {cryptography.__version__}"
print(json.dumps({"made_by": made_by, "jwks": jwks, "tokens": tokens}, indent=1))
