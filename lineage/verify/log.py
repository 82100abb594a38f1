"""Checking the log: does each event, and the view, follow from those before?"""

from collections.abc import Iterator

from lineage.errors import LineageError
from lineage.registry import Registry
from lineage.store import names
from lineage.store.replay import Replay
from lineage.verify.problem import Problem


def log_problems(registry: Registry) -> Iterator[Problem]:
    """Events that do not follow from those before them."""
    replay = Replay(registry.git, registry.events_log)
    try:
        for fault in replay.faults():
            yield Problem(fault.event, "", fault.what)
        for space in names.SPACES:
            registry.events_log.names(space)  # reads every tree of the view
        known = {record.id: record.git for record in registry.ids}
        if known != replay.commits:
            registry.ids.rebuild()
    except LineageError as error:
        yield Problem("", "", f"the log cannot be read: {error}")
