"""What comes along an edge, by its role.

The sets answer different questions of the same edge: `distilled_from` hands on what
weights hold, and it is a model that wrote what the pupil learned from.
"""

from lineage.store.generations import MACHINE_TURN

RECORDS = frozenset({"derived_from", "trained_on"})
"""Records come along: data from data, a model's training from data."""

WRITING = MACHINE_TURN
"""A model wrote the records, or the targets: each such edge is one machine turn."""

WEIGHTS = frozenset(
    {"fine_tuned_from", "merged_from", "quantized_from", "distilled_from"}
)
"""What a model's weights hold comes along, to another model."""

CHOICE = frozenset({"selected_by", "rewarded_by"})
"""A model chose among records: it shapes them, and no record comes along."""

SETUP = frozenset({"configured_by"})
"""Settings, and nothing that they were applied to."""

CONTAINS = frozenset({"includes"})
"""A generation is what its parts are."""

NEITHER = frozenset({"follows", "revises", "evaluated_on"})
"""Nothing comes along: what came before it, and what it was measured on."""

FLOW = RECORDS | WRITING | WEIGHTS | CONTAINS
"""Something comes along, of whatever kind."""

REACHING = FLOW | CHOICE | SETUP
"""Along these a source reaches a commit, be it without records of its own."""
