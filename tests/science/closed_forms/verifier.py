"""The verifier of `breakdown.py`: right labels pass with phi, wrong ones with psi.

The first coordinate of a point has the sign of its class but for one in 250,000. The
verifier's own errors come from a hash of the record, so that it says the same again.
"""

from hashlib import sha256
from struct import unpack
from typing import Any


def check_record(record: dict[str, Any]) -> bool:
    """Whether the verifier keeps a point with its label."""
    _, phi, psi, label, point = record["text"].split()
    [first] = unpack("<f", bytes.fromhex(point[:8]))
    right = (first > 0) == (int(label) > 0)
    hashed = sha256(record["text"].encode()).digest()
    return int.from_bytes(hashed[:8], "big") / 2**64 < float(phi if right else psi)
