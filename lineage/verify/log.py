"""Checking the log: does each event, and the view, follow from those before?

An end that was cut off leaves a log that is sound in itself. What gives it away is
what else remembers the newest event: two files of this clone.
"""

from collections.abc import Iterator

from lineage.errors import LineageError
from lineage.registry import Registry
from lineage.store import names
from lineage.store.replay import Replay
from lineage.verify.problem import Problem


def log_problems(registry: Registry) -> Iterator[Problem]:
    """Events that do not follow from those before them."""
    log = registry.events_log
    replay = Replay(registry.git, log)
    try:
        for fault in replay.faults():
            yield Problem(fault.event, "", fault.what)
        for space in names.SPACES:
            log.names(space)  # reads every tree of the view
    except LineageError as error:
        yield Problem("", "", f"the log cannot be read: {error}")


def end_problems(registry: Registry) -> Iterator[Problem]:
    """Events that this clone has seen and its log does not have any more.

    Asked before anything brings the lookup file up to date with a shorter log.
    """
    log, noted = registry.events_log, registry.ids.noted()
    lost = [log.cut()]
    if noted and not log.follows(noted):
        lost.append(noted)
    for oid in dict.fromkeys(filter(None, lost)):
        yield Problem("", "", f"the log has lost the event {oid}, which it had", oid)
