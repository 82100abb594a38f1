"""Which turn of its loop a generation is, and which gates it did not pass."""

from collections.abc import Iterable, Mapping
from typing import Any

from lineage.store.objects import Commit


def turn_number(commit: Commit, generation: int) -> int:
    """What a loop counted a generation as; `generation` where it did not.

    A loop counts its own turns, also those that wrote nothing anew or were set aside
    half-way. `generation` counts models that wrote data since the human data, as the
    store does of every commit.
    """
    own = commit.params.get("generation") if commit.kind == "generation" else None
    return own if type(own) is int and own >= 0 else generation


def has_failed(gate: Mapping[str, Any]) -> bool:
    """Whether a verdict is that the gate failed."""
    return gate.get("verdict") == "fail"


def failed_gates(gates: Iterable[Mapping[str, Any]] | None) -> list[str]:
    """The names of those of a commit's gates that it did not pass."""
    return [str(gate.get("id", "")) for gate in gates or () if has_failed(gate)]
