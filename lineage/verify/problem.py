"""What a check finds wrong."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is not as recorded.

    `id` is a commit's or event's, `path` a file's; `object` is the address of the
    bytes, in DVC's cache (MD5) or in git. Empty where they do not apply.
    """

    id: str
    path: str
    what: str
    object: str = ""
