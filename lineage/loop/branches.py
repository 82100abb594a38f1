"""What a loop is called in a registry: its branches, and the runs of its steps."""

import re
from urllib.parse import quote, unquote

LOOP = "loop/"
REJECTED = "@rejected"  # ends the name of the branch of a loop's rejected generations


def branch_of(loop: str) -> str:
    """The branch of a loop's generations."""
    return LOOP + loop


def rejected_branch(loop: str) -> str:
    """The branch of tries that a gate, a person or a failed step ended."""
    return LOOP + loop + REJECTED


def aside_branch(loop: str, generation: int, attempt: int) -> str:
    """The branch of a try that was finished beside the loop's own generation."""
    return f"{LOOP}{loop}@g{generation}" + (f"-{attempt}" if attempt else "")


def set_aside_from(name: str) -> str:
    """The loop's branch beside which tries go on the branch `name`; "" for none."""
    match = re.fullmatch(r"(loop/.+)@(?:rejected|g\d+(?:-\d+)?)", name)
    return match[1] if match else ""


def loop_of(name: str) -> str:
    """The loop whose generations, or rejected tries, are on the branch `name`."""
    return name.removeprefix(LOOP).removesuffix(REJECTED)


def runs(loop: str, generation: int) -> str:
    """The prefix of the run refs that hold the parts of an unfinished generation."""
    return f"{quote(loop, safe='')}/{generation}/"


def loop_of_run(name: str) -> str:
    """The loop that a run ref holds a part of."""
    return unquote(name.partition("/")[0])
