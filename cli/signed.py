"""What people and programs are told of an event's signature."""

from typing import TYPE_CHECKING, Any

from lineage.cli.render import Column, Record
from lineage.cli.terminal import Span

if TYPE_CHECKING:
    from lineage.registry import Registry
    from lineage.store.events import Logged

_WORDS = {
    "unsigned": "unsigned",
    "unknown": "unknown key",
    "expired": "key expired",
    "revoked": "key revoked",
    "bad": "bad signature",
    "role": "may not",
}


class Signatures:
    """Judges events for display; silent in a registry that has no keys."""

    def __init__(self, registry: "Registry") -> None:
        from lineage.keys.judge import Judge

        self._judge = Judge(registry) if registry.key_log.oids() else None

    @property
    def there(self) -> bool:
        """Whether the registry has keys."""
        return self._judge is not None

    def of(self, logged: "Logged") -> dict[str, Any]:
        """``{"signature": …}`` for an event; nothing before there were keys."""
        standing = self._judge.standing(logged) if self._judge else None
        if standing is None:
            return {}
        key = standing.key
        told = {
            "state": standing.state,
            "key": standing.fingerprint,
            "principal": f"{key.name} <{key.email}>" if key else None,
            "roles": list(key.roles) if key else [],
            "says": standing.says,
        }
        return {"signature": told}


def _signed(record: Record) -> Span:
    told = record.get("signature")
    if told is None:
        return "", ""
    name = (told["principal"] or "").partition(" <")[0]
    if told["state"] == "good":
        return name, "good"
    return ": ".join(filter(None, (name, _WORDS[told["state"]]))), "bad"


def _in_full(record: Record) -> Span:
    """With the roles that a good signature was made in."""
    text, style = _signed(record)
    roles = ", ".join(record["signature"]["roles"]) if style == "good" else ""
    return f"{text} ({roles})" if roles else text, style


SIGNED = Column("signed by", _signed, flexible=True)
SIGNED_IN_FULL = Column("signed by", _in_full, flexible=True)


def with_signatures(
    columns: tuple[Column, ...], column: Column, *, wanted: bool
) -> tuple[Column, ...]:
    """`columns` with `column` behind the one that says by whom, if `wanted`."""
    if not wanted:
        return columns
    place = [one.title for one in columns].index("by") + 1
    return (*columns[:place], column, *columns[place:])
