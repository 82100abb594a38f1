"""Statements of in-toto and the envelopes that they are signed in.

https://github.com/in-toto/attestation/blob/main/spec/v1/statement.md and
https://github.com/secure-systems-lab/dsse/blob/master/protocol.md.
"""

from base64 import b64encode
from collections.abc import Mapping
from typing import Any

from lineage.store.canonical import canonical, normalise
from lineage.store.pem import PrivateKey

PAYLOAD_TYPE = "application/vnd.in-toto+json"
STATEMENT = "https://in-toto.io/Statement/v1"


def statement(subject: list[Any], predicate_type: str, predicate: Any) -> bytes:
    """A statement in canonical JSON: what a signature covers."""
    whole = {
        "_type": STATEMENT,
        "subject": subject,
        "predicateType": predicate_type,
        "predicate": predicate,
    }
    return encoded(whole)


def encoded(value: Mapping[str, Any]) -> bytes:
    """Canonical JSON of plain data."""
    return canonical(normalise(value))


def pae(payload: bytes) -> bytes:
    """The bytes that are signed: type and payload, each after its length."""
    type_ = PAYLOAD_TYPE.encode()
    return b"DSSEv1 %d %b %d %b" % (len(type_), type_, len(payload), payload)


def envelope(payload: bytes, key: PrivateKey, keyid: str) -> dict[str, Any]:
    """`payload` signed with `key`, which goes by `keyid` in it."""
    signature = {"keyid": keyid, "sig": b64encode(key.sign(pae(payload))).decode()}
    return {
        "payload": b64encode(payload).decode(),
        "payloadType": PAYLOAD_TYPE,
        "signatures": [signature],
    }
