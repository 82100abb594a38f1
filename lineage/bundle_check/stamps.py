"""Time stamps (RFC 3161): whose event, and by an authority that the auditor trusts?"""

import re
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from lineage.bundle_check.archive import Bundle
from lineage.bundle_check.looked import Held, Looked
from lineage.errors import StoreError, UsageError
from lineage.store.objects import Event

if TYPE_CHECKING:
    from cryptography.x509 import Certificate
    from rfc3161_client import TimeStampResponse

_FOLDER = "data/timestamps/"
_NAME = re.compile(rf"{_FOLDER}([0-9a-f]{{64}})\.([0-9a-f]{{12}})\.tsr")
_GIVE = "--tsa-ca FILE"


def check_stamps(
    bundle: Bundle, events: Mapping[str, Event], held: Held, looked: Looked
) -> None:
    """Each token is there, is its event's, and stamps what it is called after."""
    made = {
        f"{_FOLDER}{event.data.get('of')}.{id_[:12]}.tsr": event
        for id_, event in events.items()
        if event.type == "timestamp"
    }
    here = {name for name in bundle.sizes if name.startswith(_FOLDER)}
    for name in sorted(here ^ made.keys()):
        lacks = "is missing" if name in made else "is of no event in this log"
        looked.found("timestamp", name, lacks)
    names = sorted(here & made.keys())
    if not names:
        return
    try:
        import rfc3161_client  # noqa: F401
    except ImportError:
        why = "rfc3161-client is not installed"
        looked.skip("timestamp", why, "pip install 'lineage-vcs[audit]'")
        return
    if held.tsa_ca is None:
        why = f"{len(names)} by authorities whose certificates you did not give"
        looked.skip("timestamp", why, _GIVE)
    for name in names:
        looked.at("timestamp")
        for what in _faults(bundle, name, made[name], events, held.tsa_ca):
            looked.found("timestamp", name, what)


def _faults(
    bundle: Bundle,
    name: str,
    event: Event,
    events: Mapping[str, Event],
    ca: Path | None,
) -> list[str]:
    import base64

    from rfc3161_client import decode_timestamp_response

    data, of = bundle.read(name), str(event.data.get("of"))
    token = event.data.get("token")
    if of not in events:
        return [f"stamps {of}, which is no event of this log"]
    with suppress(ValueError, TypeError):
        if base64.b64decode(token or "", validate=True) != data:
            return ["is not the token that its event recorded"]
    try:
        response = decode_timestamp_response(data)
        imprint = response.tst_info.message_imprint.message
    except ValueError as error:
        return [f"is no time stamp: {error}"]
    if imprint.hex() != of:
        return [f"stamps {imprint.hex()}, and not the event that it is called after"]
    return _certificate_faults(response, of, ca) if ca else []


def _certificates(path: Path) -> "list[Certificate]":
    from cryptography.x509 import load_pem_x509_certificates

    try:
        return load_pem_x509_certificates(path.read_bytes())
    except OSError as error:
        raise StoreError(f"{path} cannot be read: {error.strerror}") from None
    except ValueError:
        raise UsageError(f"{path} holds no certificates in PEM") from None


def _certificate_faults(response: "TimeStampResponse", of: str, ca: Path) -> list[str]:
    from rfc3161_client import VerificationError, VerifierBuilder

    builder = VerifierBuilder()
    for certificate in _certificates(ca):
        builder = builder.add_root_certificate(certificate)
    try:
        builder.build().verify(response, bytes.fromhex(of))
    except (VerificationError, ValueError) as error:
        return [f"is not by an authority that you trust: {error}"]
    return []
