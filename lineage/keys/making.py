"""Making a key for this clone, and telling the registry of it."""

import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from lineage import keys
from lineage.draft import shown
from lineage.errors import UsageError
from lineage.keys.ring import RELEASER, REVIEWER, ROLES, RUNNER
from lineage.keys.signer import KEY_FILE, RUNNER_FILE
from lineage.store.events import now
from lineage.store.fields import choice
from lineage.store.key_files import generate, public_half, read_public, taken
from lineage.store.settings import user_file
from lineage.store.sshsig import PublicKey

if TYPE_CHECKING:
    from lineage.registry import Registry


class Made(NamedTuple):
    """A new key: where it is, what it is, the setting that names it.

    `added` is False where somebody else has to add it.
    """

    path: Path
    public: PublicKey
    setting: str
    added: bool


def make(
    registry: "Registry",
    name: str,
    email: str,
    *,
    roles: Iterable[str] | None = None,
    valid_until: str | None = None,
    passphrase: bool = True,
) -> Made:
    """Make a key in the user's own folder and sign with it in this clone.

    It is added to the registry where the key that signs here may do so. The first
    key of a registry may add others and review, unless `roles` says less. What a
    killed run began here is finished.

    Raises:
        UsageError: when there is a key of that name, or the first may not add others.
        StoreError: when no key can be made.
    """
    first = registry.signer.keys().root is None
    chosen = first_roles(first=first, roles=roles)
    keys.check(name, email, chosen, None, valid_until)
    path = user_file().parent / "keys" / re.sub(r"[^\w.-]+", "-", name).strip("-.")
    setting = RUNNER_FILE if RUNNER in chosen else KEY_FILE
    with _noted(registry, path):
        public = _begun(path) or generate(path, email, passphrase=passphrase)
        added = public.fingerprint in keys.current(registry).keys
        if not added and (added := first or _can_add(registry)):
            keys.add(
                registry,
                public,
                name,
                email,
                roles=chosen,
                valid_until=valid_until,
                sign_with=path if first else None,
            )
        registry.settings.set(setting, shown(path, registry.root))
    return Made(path, public, setting, added)


@contextmanager
def _noted(registry: "Registry", path: Path) -> Iterator[None]:
    """A note beside the key tells, until all is done, that it was made from here.

    Without it a key of that name may be in use, and is not touched.
    """
    note = path.with_name(f".{path.name}.making")
    here = registry.uuid()
    if not path.exists():
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        note.write_text(here)
    elif not note.exists() or note.read_text(errors="replace") != here:
        raise taken(path)
    yield
    note.unlink()


def _begun(path: Path) -> PublicKey | None:
    """The key that a killed run left; half a key is removed."""
    if not path.exists():
        return None
    if public_half(path).exists():
        return read_public(public_half(path))
    path.unlink()
    return None


def first_roles(*, first: bool, roles: Iterable[str] | None) -> list[str]:
    """The roles of a key: those that are given or, for the first one, what it takes.

    Raises:
        UsageError: for one that is none, and when the first key may not add others.
    """
    chosen = [choice(role, ROLES, "a role of a key") for role in roles or ()]
    if first and not chosen:
        chosen = [REVIEWER, RELEASER]
    if first and RELEASER not in chosen:
        hint = "begin with a person's: `lineage key generate`"
        raise UsageError("the first key of a registry is a releaser's", hint=hint)
    return chosen


def add_file(
    registry: "Registry",
    path: Path,
    name: str,
    email: str,
    *,
    roles: Iterable[str] | None = None,
    valid_from: str | None = None,
    valid_until: str | None = None,
) -> tuple[PublicKey, str]:
    """Add the key of a `.pub` file; gives it and the event's id.

    The first key of a registry signs for itself, and from then on in this clone.
    """
    public, first = read_public(path), registry.signer.keys().root is None
    event = keys.add(
        registry,
        public,
        name,
        email,
        roles=first_roles(first=first, roles=roles),
        valid_from=valid_from,
        valid_until=valid_until,
        sign_with=path if first else None,
    )
    if first:
        registry.settings.set(KEY_FILE, str(path.absolute()))
    return public, event


def _can_add(registry: "Registry") -> bool:
    """Whether the key that signs here may add others now."""
    signer = registry.signer
    entry = signer.entry(signer.path())
    able = keys.current(registry).active(now())
    return any(key == entry and RELEASER in key.roles for key in able)
