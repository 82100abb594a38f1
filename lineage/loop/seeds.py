"""Every choice of a loop comes from its one seed, by SHA-256.

A hash gives the same choice on every machine and in every version of Python and
numpy, whatever was drawn before it; a generator's stream promises neither.
"""

from hashlib import sha256


def _digest(*parts: object) -> bytes:
    return sha256("|".join(map(str, parts)).encode()).digest()


def shard_seed(seed: int, generation: int, stage: str, shard: int = 0) -> int:
    """The seed of one shard of one stage, in 32 bits (what numpy's seeds take)."""
    return int.from_bytes(_digest(seed, generation, stage, shard)[:4], "big")


def rank(*parts: object) -> bytes:
    """Where something stands in an order that only `parts` decide."""
    return _digest(*parts)


def order(count: int, *parts: object) -> list[int]:
    """The numbers 0 … count-1 in an order that only `parts` decide."""
    return sorted(range(count), key=lambda index: _digest(*parts, index))


def draw(count: int, wanted: int, *parts: object) -> list[int]:
    """`wanted` different ones of the numbers 0 … count-1, in an order of their own.

    It looks at few more of them than it takes, unless most are wanted.
    """
    if 2 * wanted >= count:
        return order(count, *parts)[:wanted]
    found: dict[int, None] = {}
    turn = 0
    while len(found) < wanted:
        place = int.from_bytes(_digest(*parts, "draw", turn)[:8], "big")
        found[place % count] = None
        turn += 1
    return list(found)


def choose(count: int, wanted: int, *parts: object) -> list[int]:
    """`wanted` of the numbers 0 … count-1, in rising order.

    The same `parts` choose nested sets: a larger `wanted` only adds to a smaller.
    """
    return sorted(order(count, *parts)[:wanted])
