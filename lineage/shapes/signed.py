"""What is said of an event's signature, as JSON has it."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from lineage.registry import Registry
    from lineage.store.event_reading import Logged


class Signatures:
    """Judges events; silent in a registry that has no keys."""

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
