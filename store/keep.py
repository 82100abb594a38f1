"""The keep commit: what tells DVC which objects this registry needs.

`dvc gc -A`, `dvc push -A` and `dvc fetch -A` hear of every payload by it, at the price
of one commit. It is derived, and made anew when commits came.
"""

import json
import re
from collections.abc import Iterable
from contextlib import suppress
from hashlib import md5
from typing import TYPE_CHECKING

from lineage.errors import StoreError
from lineage.store.dvc import home
from lineage.store.git import GitRepository
from lineage.store.git_objects import AUTHOR, GitObject, TreeEntry, tree
from lineage.store.names import KEEP

if TYPE_CHECKING:
    from lineage.store.payloads import Payloads

_ADDRESS = re.compile(rb"^- md5: ([0-9a-f]{32}(?:\.dir)?)$", re.MULTILINE)


def is_kept(git: GitRepository, payloads: "Payloads", tip: str) -> bool:
    """Whether there is a keep commit as of the event `tip`, with all it needs."""
    settings = (home(git) / ".dvc" / "config").read_bytes()
    found, configured = git.read_many([KEEP, f"{KEEP}:.dvc/config"])
    current = configured and configured[1].data == settings
    if current and found and found[1].data.endswith(f"\n\n{tip}\n".encode()):
        listed = kept_list(git)
        with suppress(StoreError):  # `dvc gc` may have taken the list, but not its pin
            return bool(listed and payloads.loose(listed))
    return False


def kept_list(git: GitRepository) -> str | None:
    """The object in which the keep commit names all single files."""
    return address(git.blob(f"{KEEP}:keep.dvc") or b"")


def keep(
    git: GitRepository,
    payloads: "Payloads",
    payload_addresses: Iterable[str],
    tip: str,
    lock: int,
) -> None:
    """Make the keep commit from the addresses of all payloads.

    One ``.dir`` list names every loose object; each folder payload is an out of its
    own. The commit carries the repository's DVC configuration, which DVC reads from
    the revision that it pushes. `tip` is the newest event, noted in the message.
    """
    made, listing = keep_objects(git, payload_addresses, tip)
    payloads.add_lists([listing])
    git.write(made)
    git.update_refs({KEEP: (None, made[-1].oid)}, lock=lock)


def keep_objects(
    git: GitRepository, payload_addresses: Iterable[str], tip: str
) -> tuple[list[GitObject], bytes]:
    """The git objects of the keep commit, itself last, and the list that it names."""
    settings = (home(git) / ".dvc" / "config").read_bytes()
    addresses = sorted(set(payload_addresses))
    loose = [{"md5": a, "relpath": a} for a in addresses if not a.endswith(".dir")]
    folders = [address for address in addresses if address.endswith(".dir")]
    listing = json.dumps(loose, sort_keys=True).encode()
    listed = f"{md5(listing, usedforsecurity=False).hexdigest()}.dir"
    outs = [(listed, "objects"), *((address, address) for address in folders)]
    lines = (f"- md5: {a}\n  hash: md5\n  path: {path}\n" for a, path in outs)
    text = GitObject("blob", ("outs:\n" + "".join(lines)).encode())
    config = GitObject("blob", settings)
    folder = tree({"config": TreeEntry("100644", config.oid)})
    top = tree(
        {
            ".dvc": TreeEntry("40000", folder.oid),
            "keep.dvc": TreeEntry("100644", text.oid),
        }
    )
    head = f"tree {top.oid}\nauthor {AUTHOR}\ncommitter {AUTHOR}\n\n"
    commit = GitObject("commit", f"{head}lineage keep\n\n{tip}\n".encode())
    return [text, config, folder, top, commit], listing


def keep_is_broken(git: GitRepository) -> bool:
    """Whether the ref of the keep commit is there and leads to no commit of ours."""
    try:
        oid = git.ref(KEEP)
    except StoreError:
        return True
    found = git.read(oid) if oid else None
    return oid is not None and (found is None or b"lineage keep" not in found[1].data)


def forget_keep(git: GitRepository) -> None:
    """Remove the ref of the keep commit, whatever it says."""
    (git.common / KEEP).unlink(missing_ok=True)


def named_in(listing: bytes) -> list[str]:
    """The objects that a ``.dir`` list names."""
    return [str(row["md5"]) for row in json.loads(listing)]


def address(payload_file: bytes) -> str | None:
    """The first object that a ``.dvc`` file names."""
    found = _ADDRESS.search(payload_file)
    return found[1].decode() if found else None
