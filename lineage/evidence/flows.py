"""Whether records can have come as the shares say: a flow from records to sources.

Records that the same sources hold are one group. Each record goes to one source that
holds it; each source takes as many as its share says. That is a flow in a network of
two layers (Ford and Fulkerson, 1956); it exists if and only if everything fits.
"""

from collections import deque
from collections.abc import Iterator, Mapping, Sequence

Group = frozenset[int]
"""The sources that hold a record, by number."""


def fits(groups: Mapping[Group, int], takes: Sequence[int]) -> bool:
    """Whether all records of `groups` can go to sources that take exactly `takes`."""
    if sum(groups.values()) != sum(takes):
        return False
    room = list(takes)
    going: dict[Group, dict[int, int]] = {group: {} for group in groups}
    for group, count in groups.items():
        left = count
        while left:
            way = _way(group, going, room)
            if way is None:
                return False
            left -= _send(way, left, going, room)
    return True


_Way = list[tuple[Group, int]]
"""Steps: a group sends to a source; before each but the first, that source's room is
made by the group of the next step, which sends elsewhere instead."""


def _way(
    start: Group, going: Mapping[Group, Mapping[int, int]], room: Sequence[int]
) -> _Way | None:
    """The shortest way from a group to a source with room, by others' moving on."""
    came: dict[int, tuple[Group, int | None]] = dict.fromkeys(start, (start, None))
    queue = deque(start)
    while queue:
        source = queue.popleft()
        if room[source]:
            return _steps(source, came)
        for group, sent in going.items():
            if sent.get(source):
                for other in group - came.keys():
                    came[other] = group, source
                    queue.append(other)
    return None


def _steps(end: int, came: Mapping[int, tuple[Group, int | None]]) -> _Way:
    steps: _Way = []
    at: int | None = end
    while at is not None:
        group, before = came[at]
        steps.append((group, at))
        at = before
    return steps[::-1]


def _send(
    way: _Way, wanted: int, going: Mapping[Group, dict[int, int]], room: list[int]
) -> int:
    """Send as many as the way lets through; how many that were."""
    moved = [going[group][before] for (group, _), (_, before) in _pairs(way)]
    count = min([wanted, room[way[-1][1]], *moved])
    for group, source in way:
        going[group][source] = going[group].get(source, 0) + count
    for (group, _), (_, before) in _pairs(way):
        going[group][before] -= count
    room[way[-1][1]] -= count
    return count


def _pairs(way: _Way) -> Iterator[tuple[tuple[Group, int], tuple[Group, int]]]:
    """Each step but the first, with the one before it."""
    return zip(way[1:], way[:-1], strict=True)
