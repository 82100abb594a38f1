"""Signing what leaves the house: reports, lists of bundles.

Such a signature is OpenSSH's, in a namespace of its own: that of an event is none of a
file, and the other way round. ``ssh-keygen -Y verify -n lineage-report`` checks it.
"""

from pathlib import Path
from typing import TYPE_CHECKING

from lineage.keys.ring import RUNNER, Standing
from lineage.keys.signer import refused
from lineage.store.events import now
from lineage.store.key_files import public_half, read_public
from lineage.store.objects import Event
from lineage.store.signing import check_file, sign
from lineage.store.sshsig import PublicKey, Signature

if TYPE_CHECKING:
    from lineage.registry import Registry

FILES = "lineage-report"  # the namespace of signatures of files


def ready(registry: "Registry") -> Path | None:
    """The key that signs files here; refuses now what `sign_file` would refuse.

    Raises:
        StoreError: when the key that is set is not there.
        NotAllowed: when it is a runner's, or does not count now.
    """
    path = registry.signer.path()
    if path is None:
        return None
    check_file(path)
    if (public := public_half(path)).is_file():
        _check(registry, read_public(public))
    return path


def sign_file(registry: "Registry", data: bytes) -> bytes | None:
    """A signature of a file's bytes, by the key that signs here; None without a key.

    Raises:
        StoreError: when the key cannot sign.
        NotAllowed: when it is a runner's, or does not count now.
    """
    path = registry.signer.path()
    if path is None:
        return None
    signature = sign(data, path, FILES)
    _check(registry, Signature.parse(signature).key)
    return signature


def _check(registry: "Registry", public: PublicKey) -> None:
    """Any key will do where nobody has keys that could tell."""
    event = Event("report", now(), registry.actor())
    found = registry.signer.keys().now(public, event)
    if found and found.key and found.state == "good" and RUNNER in found.key.roles:
        why = "a runner's key signs no file that is handed out"
        found = Standing("role", found.fingerprint, found.key, why)
    if found and found.state != "good":
        raise refused(found)
