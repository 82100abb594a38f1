"""The keys as OpenSSH reads them, so that git and ssh-keygen alone can judge."""

from collections.abc import Iterator
from datetime import datetime

from lineage.keys.files import FILES
from lineage.keys.ring import RUNNER, Key, Ring
from lineage.store.signing import NAMESPACE


def allowed_signers(ring: Ring) -> Iterator[str]:
    """One line for each time that a key was valid (ssh-keygen(1), ALLOWED SIGNERS).

    A key that was added again has a line up to then; a revoked one up to its end. A
    runner's is good for events alone: what is handed out is signed by a person.
    """
    for number, key in enumerate(ring.history):
        later = (k for k in ring.history[number + 1 :] if k.public == key.public)
        ends = [key.valid_until, *(k.added for k in later)]
        ends += [_end(r.since, r.time) for r in ring.revoked.get(key.fingerprint, ())]
        until = min(end for end in (*ends, "9999") if end is not None)
        if not until:
            continue
        spaces = NAMESPACE if RUNNER in key.roles else f"{NAMESPACE},{FILES}"
        options = [f'namespaces="{spaces}"']
        if key.valid_from:
            options.append(f'valid-after="{_stamp(key.valid_from)}"')
        if until != "9999":
            options.append(f'valid-before="{_stamp(until)}"')
        yield f"{_principal(key)} {','.join(options)} {key.public.line}"


def revoked(ring: Ring) -> Iterator[str]:
    """The revoked keys, for ``ssh-keygen -Y verify -r`` and gpg.ssh.revocationFile."""
    known = {key.fingerprint: key for key in ring.history}
    for fingerprint in ring.revoked:
        if fingerprint in known:
            yield known[fingerprint].public.line


def _end(since: str | None, time: str) -> str:
    return time if since is None else min(since, time)


def _stamp(time: str) -> str:
    return datetime.fromisoformat(time).strftime("%Y%m%d%H%M%SZ")


def _principal(key: Key) -> str:
    """The address, without what has a meaning in that file."""
    return "".join(c for c in key.email if c.isprintable() and c not in ' ,"*?!#')
