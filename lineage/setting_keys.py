"""Which settings there are: every key that something reads, and what for.

`lineage config KEY VALUE` refuses others, so that a slip is not taken for a setting.
What a file holds is read whatever it is called: a newer lineage may know it.
"""

import re
from difflib import get_close_matches

from lineage.errors import UsageError

# where a part is the user's to choose, it stands in capitals
KEYS = {
    "gc.grace": "how long what has lost its last name stays: 30d",
    "gc.keep": "a revset whose files stay",
    "gc.trash": "how long what was removed can be brought back: 7d",
    "include.path": "a file of settings that git reads along",
    "index.url": "the database of the index",
    "openlineage.api-key": "the key for openlineage.url",
    "openlineage.file": "a file to append OpenLineage events to",
    "openlineage.namespace": "the namespace of what we send",
    "openlineage.url": "where to send OpenLineage events",
    "pack.auto": "whether `loop run` packs behind itself",
    "pack.least": "the cold bytes from which it does so",
    "pack.size": "the bytes at which a pack is closed",
    "remote.NAME.dvc": "the DVC remote with the bytes of a remote",
    "remote.NAME.packed": "whether packs travel as they are",
    "remote.NAME.url": "where a remote is",
    "revset-aliases.NAME": "a revset with a name",
    "signing.anchor": "the key that the registry has to rest on",
    "signing.key": "the file of the key that signs",
    "signing.required": "whether unsigned events are refused here",
    "signing.runner-key": "the file of the key that signs for loops",
    "tsa.ca": "the certificates of a time stamping authority",
    "tsa.url": "the address of one",
}
_FREE = "NAME"
_WRITTEN = re.compile(
    "|".join(re.escape(key).replace(_FREE, "[^.].*") for key in KEYS), re.DOTALL
)


def check(key: str) -> None:
    """Refuse a key that nothing reads.

    Raises:
        UsageError: with the nearest that something does.
    """
    section, dot, rest = key.partition(".")
    middle, _, last = rest.rpartition(".")
    # as git does: letters are the same in both cases, but for the middle
    low = f"{section.lower()}.{middle}{'.' * bool(middle)}{last.lower()}"
    if not dot or not rest:
        raise UsageError(f"{key!r} is no key", hint="keys look like `index.url`")
    if not _WRITTEN.fullmatch(low):
        raise UsageError(f"no setting is called {key}", hint=_nearest(low))


def _nearest(key: str) -> str:
    named = [each for each in KEYS if _FREE not in each]
    near = get_close_matches(key, named, n=1)
    same = [each for each in KEYS if each.partition(".")[0] == key.partition(".")[0]]
    if near:
        return f"did you mean {near[0]}?"
    if same:
        return f"there is {', '.join(same)}"
    return "keys look like gc.grace, index.url, signing.key"
