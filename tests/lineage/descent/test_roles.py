"""What comes along an edge."""

from __future__ import annotations

from lineage.descent import roles
from lineage.store.objects import ROLES


def test_every_role_has_a_meaning() -> None:
    """A role that the format knows is in a set, and no set has another one."""
    sets = (
        roles.RECORDS,
        roles.WRITING,
        roles.WEIGHTS,
        roles.CHOICE,
        roles.SETUP,
        roles.CONTAINS,
        roles.NEITHER,
    )

    assert frozenset().union(*sets) == set(ROLES)
    assert sum(map(len, sets)) == len(ROLES) + len(roles.WRITING & roles.WEIGHTS)
