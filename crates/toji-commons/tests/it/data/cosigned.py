"""A cosigned checkpoint, made without Toji: python3 cosigned.py > cosigned.txt

Python 3.11.7, cryptography 48.0.0. Hashes after RFC 6962 section 2.1 and lines after c2sp.org/signed-note,
tlog-checkpoint and tlog-cosignature. Keys: seeds of the bytes 0..31 (log) and 32..63 (witness).
"""

import base64
import hashlib

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

LEAVES = [bytes.fromhex(h) for h in
          ("", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f")]
SECONDS = 1767225600


def root(leaves):
    if len(leaves) == 1:
        return hashlib.sha256(b"\0" + leaves[0]).digest()
    k = 1
    while 2 * k < len(leaves):
        k *= 2
    return hashlib.sha256(b"\1" + root(leaves[:k]) + root(leaves[k:])).digest()


def key(name, kind, seed):
    private = Ed25519PrivateKey.from_private_bytes(seed)
    public = private.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
    ident = hashlib.sha256(name.encode() + b"\n" + bytes([kind]) + public).digest()[:4]
    return private, ident, f"{name}+{ident.hex()}+{base64.b64encode(bytes([kind]) + public).decode()}"


log, log_id, log_key = key("commons.example/log", 1, bytes(range(32)))
witness, witness_id, witness_key = key("member.example/w1", 4, bytes(range(32, 64)))
text = f"commons.example/log\n{len(LEAVES)}\n{base64.b64encode(root(LEAVES)).decode()}\n"
signed = base64.b64encode(log_id + log.sign(text.encode())).decode()
message = f"cosignature/v1\ntime {SECONDS}\n{text}".encode()
cosigned = base64.b64encode(witness_id + SECONDS.to_bytes(8, "big") + witness.sign(message)).decode()
print(log_key)
print(witness_key)
print()
print(f"{text}\n\u2014 commons.example/log {signed}\n\u2014 member.example/w1 {cosigned}")
