"""The files of one commit as an OpenSSF model signature, v1.0.

https://github.com/ossf/model-signing-spec: a list of files with their SHA-256 in an
in-toto statement, signed in a Sigstore bundle. ``model_signing verify key`` accepts it.
The subject's digest is the commit's `payload.root`, unless the format leaves out files.
"""

from collections.abc import Iterable, Sequence
from hashlib import sha256
from pathlib import Path
from typing import Any

from lineage.audit import dsse
from lineage.audit.chosen import one_with_files, title
from lineage.audit.given import Given
from lineage.audit.model import Artifact, Report
from lineage.errors import UsageError
from lineage.store.files import FileEntry, in_root_order
from lineage.store.pem import P256, PrivateKey

_LEFT_OUT = (".git", ".gitattributes", ".github", ".gitignore")  # spec, section 6.2
PREDICATE = "https://model_signing/signature/v1.0"
BUNDLE = "application/vnd.dev.sigstore.bundle.v0.3+json"


def render(report: Report, given: Given) -> bytes:
    """The bundle over the subject's files; without a key the statement alone.

    Raises:
        UsageError: when the subject is not one commit with files that are listed.
    """
    made = one_with_files(report)
    files = given.registry.files(made.id)
    if not listed(files):
        raise UsageError(f"{title(made)} has no files that a model signature lists")
    return signed(statement(made, files), given.key)


def listed(files: Iterable[FileEntry]) -> list[FileEntry]:
    """The files that the format has a place for, in its order."""
    return [file for file in in_root_order(files) if _top(file) not in _LEFT_OUT]


def statement(made: Artifact, files: Sequence[FileEntry]) -> bytes:
    """What is signed of an artifact with these files."""
    found = listed(files)
    whole = sha256(b"".join(bytes.fromhex(file.sha256) for file in found)).hexdigest()
    resources = [
        {"name": file.path, "algorithm": "sha256", "digest": file.sha256}
        for file in found
    ]
    how: dict[str, Any] = {"method": "files", "hash_type": "sha256"}
    how["allow_symlinks"] = False
    if left_out := {_top(file) for file in files} & set(_LEFT_OUT):
        how["ignore_paths"] = sorted(left_out)
    return dsse.statement(
        [{"name": made.name, "digest": {"sha256": whole}}],
        PREDICATE,
        {"serialization": how, "resources": resources},
    )


def _top(file: FileEntry) -> str:
    return file.path.partition("/")[0]


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
