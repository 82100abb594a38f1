"""Time stamps of RFC 3161: the only module that imports ``rfc3161_client``.

A time stamping authority (TSA) signs a digest and the time at which it saw it. Queries
and replies are its formats, those of ``openssl ts``: a ``.tsq`` and a ``.tsr`` file.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from lineage.errors import LineageError, UsageError, VerificationError
from lineage.store.disk import read_file

if TYPE_CHECKING:
    from cryptography.x509 import Certificate, Name

_SHA256 = "2.16.840.1.101.3.4.2.1"


class Stamp(NamedTuple):
    """What a reply says: the SHA-256 of what was stamped, when, and by whom.

    `time` is as events hold it, `digest` in hexadecimal. `nonce` is the query's.
    """

    digest: str
    time: str
    tsa: str
    nonce: int | None


def is_there() -> bool:
    """Whether the library is installed, without which nothing here works."""
    from importlib.util import find_spec

    return find_spec("rfc3161_client") is not None


def query(data: bytes, *, nonce: bool = False) -> tuple[bytes, int | None]:
    """A query for the SHA-256 of `data`, and the nonce in it."""
    library = _library()
    made = (
        library.TimestampRequestBuilder()
        .data(data)
        .hash_algorithm(library.HashAlgorithm.SHA256)
        .nonce(nonce=nonce)
        .cert_request(cert_request=True)
        .build()
    )
    return made.as_bytes(), made.nonce


def read(reply: bytes) -> Stamp:
    """What a reply says; nobody has checked by then who signed it.

    Raises:
        UsageError: when it is none, when the TSA refused, or stamped no SHA-256.
    """
    with _unreadable():
        found = _decoded(reply)
        info = found.tst_info
        imprint = info.message_imprint
        if imprint.hash_algorithm.dotted_string != _SHA256:
            raise UsageError("the time stamp is of another digest than SHA-256")
        moment = info.gen_time.astimezone(UTC).isoformat(timespec="microseconds")
        time = moment.replace("+00:00", "Z")
        return Stamp(imprint.message.hex(), time, _tsa(found), info.nonce)


def check(reply: bytes, digest: str, roots: bytes) -> None:
    """Let a reply pass that stamps `digest` and that a TSA signed who leads to `roots`.

    `roots` are certificates in PEM. They have to be valid when it was stamped, not now.

    Raises:
        VerificationError: when it does not hold.
        UsageError: when it, or a certificate, cannot be read.
    """
    library = _library()
    builder = library.VerifierBuilder(roots=certificates(roots))
    with _unreadable():
        try:
            builder.build().verify(_decoded(reply), bytes.fromhex(digest))
        except library.VerificationError as error:
            message = f"the time stamp does not hold: {error}"
            raise VerificationError(message) from None


def certificates(pem: bytes) -> "list[Certificate]":
    """The certificates of a PEM file.

    Raises:
        UsageError: when it holds none.
    """
    from cryptography.x509 import load_pem_x509_certificates

    try:
        return load_pem_x509_certificates(pem)
    except ValueError:
        hint = "give the TSA's root certificate in PEM, as its operator publishes it"
        raise UsageError("that is no file of certificates", hint=hint) from None


def _decoded(reply: bytes) -> Any:
    library = _library()
    try:
        found = library.decode_timestamp_response(reply)
    except ValueError:
        hint = "give the reply of a TSA, as `openssl ts -reply` writes it: a .tsr file"
        raise UsageError("that is no time stamp", hint=hint) from None
    if found.status != library.PKIStatus.GRANTED:
        why = "; ".join(found.status_string) or f"status {found.status}"
        raise UsageError(f"the TSA gave no time stamp: {why}")
    return found


def read_certificates(file: Path) -> bytes:
    """The certificates in a PEM file, which have to be some.

    Raises:
        StoreError: when the file cannot be read.
        UsageError: when it holds no certificates.
    """
    pem = read_file(file)
    certificates(pem)
    return pem


@contextmanager
def _unreadable() -> Iterator[None]:
    """What is damaged further in is only found when it is read."""
    try:
        yield
    except (ValueError, TypeError, ArithmeticError, LookupError, AttributeError):
        raise UsageError("the time stamp cannot be read") from None


def _tsa(found: Any) -> str:
    """The name that the TSA gives itself, else that of who signed."""
    from cryptography.x509 import DirectoryName

    name = found.tst_info.name
    if isinstance(name, DirectoryName):
        return _common(name.value)
    for signer in found.signed_data.signer_infos:
        for certificate in found.signed_data.certificates:
            subject = _subject_of(certificate, signer)
            if subject is not None:
                return _common(subject)
        return _common(signer.issuer)
    return "unknown"


def _subject_of(certificate: bytes, signer: Any) -> "Name | None":
    from cryptography.x509 import load_der_x509_certificate

    found = load_der_x509_certificate(certificate)
    same = (found.issuer, found.serial_number) == (signer.issuer, signer.serial_number)
    return found.subject if same else None


def _common(name: "Name") -> str:
    """The common name, or all of it where there is none."""
    from cryptography.x509.oid import NameOID

    common = name.get_attributes_for_oid(NameOID.COMMON_NAME)
    text = str(common[0].value) if common else name.rfc4514_string()
    return "".join(c for c in text if c.isprintable()) or "unknown"


def _library() -> Any:
    try:
        import rfc3161_client
    except ImportError:
        hint = "install it: pip install 'lineage-vcs[audit]'"
        raise LineageError("time stamps need rfc3161-client", hint=hint) from None
    return rfc3161_client
