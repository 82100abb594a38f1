"""Signing what leaves the house: reports, lists of bundles.

Such a signature is OpenSSH's, in a namespace of its own: that of an event is none of a
file, and the other way round. ``ssh-keygen -Y verify -n lineage-report`` checks it.
"""

from typing import TYPE_CHECKING

from lineage.keys.ring import RUNNER, Seen, Standing
from lineage.keys.signer import refused
from lineage.store.events import now
from lineage.store.objects import Event
from lineage.store.signing import sign
from lineage.store.sshsig import Signature

if TYPE_CHECKING:
    from lineage.registry import Registry

FILES = "lineage-report"  # the namespace of signatures of files


def sign_file(
    registry: "Registry", data: bytes, namespace: str = FILES
) -> bytes | None:
    """A signature of a file's bytes, by the key that signs here; None without a key.

    Raises:
        StoreError: when the key cannot sign.
        NotAllowed: when it is a runner's, or does not count now.
    """
    path = registry.signer.path()
    if path is None:
        return None
    signature = sign(data, path, namespace)
    standing = _standing(registry, Signature.parse(signature))
    if standing and standing.state != "good":
        raise refused(standing)
    return signature


def _standing(registry: "Registry", signature: Signature) -> Standing | None:
    """What a signature that is made now is worth; None where nobody has keys."""
    keys, time = registry.signer.keys(), now()
    event = Event("report", time, registry.actor())
    found = keys.standing(Seen("", event, time, keys.all, signature=signature))
    if found and found.key and found.state == "good" and RUNNER in found.key.roles:
        why = "a runner's key signs no file that is handed out"
        return Standing("role", found.fingerprint, found.key, why)
    return found
