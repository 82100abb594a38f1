"""`lineage key`: who may sign."""

from collections.abc import Iterator
from datetime import time
from pathlib import Path
from typing import TYPE_CHECKING

import click

from lineage.cli.command import App, Group, at_option, format_option, pass_app
from lineage.cli.render import Column, Record, listing
from lineage.cli.terminal import Span
from lineage.cli.valid import STATE
from lineage.errors import UsageError

if TYPE_CHECKING:
    from lineage.keys import Key, Ring

_ALLOWED = "allowed-signers"


def _validity(record: Record) -> str:
    """From when until when, where there is a limit."""
    start, end = ((record[key] or "")[:10] for key in ("from", "until"))
    limits = (("from", start), ("until", end))
    return " ".join(f"{word} {day}" for word, day in limits if day)


_COLUMNS = (
    Column("name", lambda r: (r["name"], "title"), flexible=True),
    Column("email", lambda r: r["email"], flexible=True),
    Column("roles", lambda r: ", ".join(r["roles"])),
    STATE,
    Column("valid", _validity),
    Column("fingerprint", lambda r: (r["fingerprint"], "id"), flexible=True),
)

_ROLES = click.option(
    "--role", "roles", multiple=True, metavar="ROLE",
    help="runner, reviewer or releaser; may be repeated.",
)  # fmt: skip


@click.group(
    cls=Group,
    examples={
        "lineage key generate": "a key of your own; the first one adds the others",
        "lineage key generate runner --role runner": "one for the loops that run here",
        "lineage key list": "who may sign",
    },
)
def key() -> None:
    """Make, add, list and revoke the keys that sign events.

    Once a registry has a key, every event is signed, and `lineage verify` says which
    are not, or not by somebody who could. docs/keys.md has the rules.
    """


@key.command(
    examples={
        "lineage key generate": "in your name; asks for a passphrase",
        "lineage key generate runner --role runner --no-passphrase": "for loops",
        "lineage key generate --expires 2027-12-31": "one that has to be renewed",
    },
    exits=[4, 5],
)
@click.argument("name", required=False)
@click.option("--email", metavar="ADDRESS", help="Whose it is; git's user.email.")
@_ROLES
@click.option("--expires", metavar="DATE", help="The last day that it signs on.")
@click.option("--no-passphrase", is_flag=True, help="Whoever has the file can sign.")
@pass_app
def generate(
    app: App,
    /,
    *,
    name: str | None,
    email: str | None,
    roles: tuple[str, ...],
    expires: str | None,
    no_passphrase: bool,
) -> None:
    """Make an ed25519 key called NAME (git's user.name) and sign with it here.

    It lies in your own configuration folder, not in the registry. Where your key may
    not add others, a releaser has to: the command says how. A key with the role
    runner signs what loops do here, any other key what you do.
    """
    from lineage.keys.making import make
    from lineage.moments import moment_of

    if not (no_passphrase or app.terminal.asks):
        hint = "run it on a terminal, or give --no-passphrase"
        raise UsageError("nobody is here to type a passphrase", hint=hint)
    who = app.registry.actor()
    made = make(
        app.registry,
        name or who["name"],
        email or who["email"],
        roles=roles,
        valid_until=expires and moment_of(expires, time.max),
        passphrase=not no_passphrase,
    )
    app.terminal.write([made.public.fingerprint])
    app.terminal.say(f"{made.path} signs here from now on")
    if not made.added:
        mine = f"--name '{name or who['name']}' --email {email or who['email']}"
        words = f"lineage key add FILE.pub {mine}"
        app.terminal.say("a releaser has to add it before; this goes into FILE.pub:")
        app.terminal.say(f"  {made.public.line}")
        app.terminal.say((f"  {words}", "hint"))


@key.command(
    examples={
        "lineage key add bob.pub --name Bob --email bob@example.com": "he may sign",
        "lineage key add bob.pub --role reviewer --until 2027-12-31": "and review",
    },
    exits=[4, 5],
)
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--name", metavar="NAME", help="Whose it is; git's user.name.")
@click.option("--email", metavar="ADDRESS", help="And the address; git's user.email.")
@_ROLES
@click.option("--from", "start", metavar="DATE", help="It signs from then on.")
@click.option("--until", metavar="DATE", help="The last day that it signs on.")
@pass_app
def add(
    app: App,
    /,
    *,
    file: Path,
    name: str | None,
    email: str | None,
    roles: tuple[str, ...],
    start: str | None,
    until: str | None,
) -> None:
    """Let the SSH key in FILE.pub sign, from the next event on.

    The first key of a registry adds itself, needs its private half beside it or in
    ssh-agent, and signs here from then on. Later ones are added by a releaser; who
    holds one says so with `lineage config signing.key FILE`. Adding a key again
    changes its name and roles, or renews it.
    """
    from lineage.keys.making import add_file
    from lineage.moments import moment_of

    registry = app.registry
    who = registry.actor()
    public, event = add_file(
        registry,
        file,
        name or who["name"],
        email or who["email"],
        roles=roles,
        valid_from=start and moment_of(start, time.min),
        valid_until=until and moment_of(until, time.max),
    )
    app.terminal.write([event])
    app.terminal.say((public.fingerprint, "id"), f" of {name or who['name']} is added")


@key.command(
    name="list",
    examples={
        "lineage key list": "who may sign, and who could",
        "lineage key list --format allowed-signers > signers": (
            "for git: `git -c gpg.ssh.allowedSignersFile=signers log --show-signature "
            "refs/lineage/events`"
        ),
        "lineage key list --revoked > revoked": "for gpg.ssh.revocationFile",
    },
    exits=[5],
)
@at_option
@click.option("--revoked", is_flag=True, help="Print revoked keys, for OpenSSH.")
@format_option("json", "jsonl", "csv", "md", _ALLOWED)
@pass_app
def list_(app: App, *, revoked: bool, format_: str) -> None:
    """List the keys that have been added, and where trust in them starts."""
    from lineage.keys import current, exports
    from lineage.store.events import now

    ring = current(app.registry)
    if revoked:
        app.terminal.write(exports.revoked(ring))
    elif format_ == _ALLOWED:
        app.terminal.write(exports.allowed_signers(ring))
    else:
        records = [_shape(one, ring, now()) for one in ring.keys.values()]
        listing(app.terminal, format_, "keys", records, _COLUMNS)
        app.terminal.say(*_root(app))


@key.command(
    examples={
        "lineage key revoke Bob --reason 'left the team'": "what he signed stays",
        "lineage key revoke Bob --reason stolen --since 2026-11-03": "up to then only",
        "lineage key revoke SHA256:xyz --reason stolen --all": "nothing stays",
    },
    exits=[4, 5],
)
@click.argument("name", metavar="KEY")
@click.option("--reason", required=True, metavar="WHY", help="For the log.")
@click.option("--since", metavar="DATE", help="What it signed from then on is void.")
@click.option("--all", "whole", is_flag=True, help="All that it ever signed is void.")
@pass_app
def revoke(
    app: App, /, *, name: str, reason: str, since: str | None, whole: bool
) -> None:
    """Let KEY, a name or a fingerprint, sign no more. This cannot be undone.

    What it signed before stays good unless --since or --all says otherwise; with
    them, keys that it has added in that time are revoked too.
    """
    from lineage import keys
    from lineage.moments import moment_of

    if since and whole:
        raise UsageError("--since and --all are two ways to say it: give one")
    found = keys.find(app.registry, name)
    back = "" if whole else since and moment_of(since, time.min)
    event = keys.revoke(app.registry, found, reason=reason, since=back)
    app.terminal.write([event])
    app.terminal.say((found.fingerprint, "id"), f" of {found.name} is revoked")


def _shape(key: "Key", ring: "Ring", now: str) -> Record:
    """A key in JSON."""
    ended = [
        {"time": r.time, "since": r.since, "reason": r.reason, "event": r.event}
        for r in ring.revoked.get(key.fingerprint, ())
    ]
    return {
        "fingerprint": key.fingerprint,
        "name": key.name,
        "email": key.email,
        "roles": list(key.roles),
        "state": "revoked" if ended else key.state(now),
        "from": key.valid_from,
        "until": key.valid_until,
        "key": key.public.line,
        "event": key.event,
        "added": key.added,
        "added_by": key.by,
        "revoked": ended,
    }


def _root(app: App) -> Iterator[Span | str]:
    """Where trust starts."""
    root = app.registry.signer.keys().root
    anchor = app.registry.settings.get("signing.anchor")
    if root is None:
        yield f"no key here is the anchor {anchor}" if anchor else "there are no keys"
        return
    yield "trust starts at "
    yield root.fingerprint, "id"
    yield f" of {root.name}"
    yield ", pinned by signing.anchor" if anchor else ": compare it by another way"
