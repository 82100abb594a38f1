"""Which turn of its loop a generation is."""

from lineage.store.objects import Commit


def turn_number(commit: Commit, generation: int) -> int:
    """What a loop counted a generation as; `generation` where it did not.

    A loop counts its own turns, also those that wrote nothing anew or were set aside
    half-way. `generation` counts models that wrote data since the human data, as the
    store does of every commit.
    """
    own = commit.params.get("generation") if commit.kind == "generation" else None
    return own if type(own) is int and own >= 0 else generation
