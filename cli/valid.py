"""How a table shows whether a key or a token still counts."""

from lineage.cli.render import Column, Record
from lineage.cli.terminal import Span

_STYLES = {"active": "good", "revoked": "bad"}


def _state(record: Record) -> Span:
    return record["state"], _STYLES.get(record["state"], "dim")


STATE = Column("state", _state)
