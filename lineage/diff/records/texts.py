"""What texts are like, whatever language they are in."""

import math
import unicodedata
import zlib
from collections import Counter
from collections.abc import Mapping, Sequence
from functools import lru_cache

from lineage.records.texts import WORD

_N = 5  # characters of an n-gram
_SHARE = 0.001  # of the letters; a script below is left out


def tokens(texts: Sequence[str]) -> Counter[str]:
    """How often each word is there, case-folded."""
    return Counter(t for text in texts for t in WORD.findall(text.casefold()))


def measures(texts: Sequence[str]) -> Mapping[str, float]:
    """Measures of texts, taken one after the other; see docs/diff-records.md.

    `bytes_per_character` in UTF-8, `distinct_5_grams` (the share of runs of five
    characters that are distinct), `entropy` (of characters, in bits), `compression`
    (how many times smaller zlib makes them), and the share of each Unicode script
    among the letters, as `script:latin`.
    """
    whole = "\n".join(texts)
    data = whole.encode()
    if not data:
        return {}
    grams = [text[i : i + _N] for text in texts for i in range(len(text) - _N + 1)]
    found = {
        "bytes_per_character": len(data) / len(whole),
        "distinct_5_grams": len(set(grams)) / len(grams) if grams else 1.0,
        "entropy": _entropy(Counter(whole)),
        "compression": len(data) / len(zlib.compress(data)),
    }
    return found | _scripts(Counter(whole))


def _entropy(counts: Counter[str]) -> float:
    total = counts.total()
    return abs(math.fsum(-n / total * math.log2(n / total) for n in counts.values()))


def _scripts(characters: Counter[str]) -> dict[str, float]:
    counts: Counter[str] = Counter()
    for character, count in characters.items():
        if character.isalpha():
            counts[_script(character)] += count
    total = counts.total()
    return {
        f"script:{name}": count / total
        for name, count in counts.most_common()
        if count >= _SHARE * total
    }


@lru_cache(maxsize=1 << 16)
def _script(letter: str) -> str:
    """The first word of a letter's Unicode name: latin, cjk, hiragana."""
    return unicodedata.name(letter, "other").split()[0].split("-")[0].lower()
