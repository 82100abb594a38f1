"""The files of one commit as an OpenSSF model signature, v1.0.

https://github.com/ossf/model-signing-spec: a list of files with their SHA-256 in an
in-toto statement, signed in a Sigstore bundle. ``model_signing verify key`` accepts it.
The subject's digest is the commit's `payload.root`.
"""

from pathlib import Path

from lineage.audit import dsse
from lineage.audit.chosen import one_with_files
from lineage.audit.formats import Given
from lineage.audit.model import Artifact, Report
from lineage.store.files import FileEntry, in_root_order
from lineage.store.pem import P256, PrivateKey

PREDICATE = "https://model_signing/signature/v1.0"
BUNDLE = "application/vnd.dev.sigstore.bundle.v0.3+json"


def render(report: Report, given: Given) -> bytes:
    """The bundle over the subject's files; without a key the statement alone.

    Raises:
        UsageError: when the subject is not one commit with files.
    """
    made = one_with_files(report)
    return signed(statement(made, given.registry.files(made.id)), given.key)


def statement(made: Artifact, files: list[FileEntry]) -> bytes:
    """What is signed of an artifact with these files."""
    resources = [
        {"name": file.path, "algorithm": "sha256", "digest": file.sha256}
        for file in in_root_order(files)
    ]
    held = made.bytes.value or {}
    serialization = {"method": "files", "hash_type": "sha256", "allow_symlinks": False}
    return dsse.statement(
        [{"name": made.name, "digest": {"sha256": held["root"]}}],
        PREDICATE,
        {"serialization": serialization, "resources": resources},
    )


def signed(statement: bytes, path: Path | None) -> bytes:
    """A statement as it is or, with a key, as a Sigstore bundle."""
    if path is None:
        return statement + b"\n"
    key = PrivateKey(path, P256)
    bundle = {
        "mediaType": BUNDLE,
        "verificationMaterial": {
            "publicKey": {"hint": key.public.hint},
            "tlogEntries": [],
        },
        "dsseEnvelope": dsse.envelope(statement, key, ""),
    }
    return dsse.encoded(bundle) + b"\n"
