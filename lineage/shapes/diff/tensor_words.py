"""The tensors of a diff in words: what sort of change it is, how a tensor is stored."""

from typing import TYPE_CHECKING

from lineage.wording import listed

if TYPE_CHECKING:
    from lineage.diff.tensors import Form, Verdict


def says(verdict: "Verdict") -> str:
    """The verdict in a sentence."""
    also = f", {listed(verdict.beside)} too" if verdict.beside else ""
    cast = "" if verdict.dtypes is None else " and cast from {} to {}".format(
        *verdict.dtypes
    )  # fmt: skip
    if verdict.what == "cast":
        return f"only{cast.removeprefix(' and')}"
    if verdict.what == "low rank":
        where = _last(verdict) if verdict.layers else ""
        update = f"rank-{verdict.rank} update of {listed(verdict.modules)}"
        return f"looks like a {update}{where} (a merged LoRA){also}{cast}"
    if verdict.what == "last layers":
        return f"tuned only{_last(verdict)}{also}{cast}"
    words = {
        "same values": "no value has changed",
        "all": "fully tuned",
        "anew": "trained from another start, nothing is alike",
        "part": "tuned in part",
        "nothing in common": "no tensor is on both sides",
    }
    return words[verdict.what] + cast


def _last(verdict: "Verdict") -> str:
    assert verdict.layers
    count, total = verdict.layers
    return f" in the last layer of {total}" if count == 1 else (
        f" in the last {count} of {total} layers"
    )  # fmt: skip


def form(stored: "Form | None") -> str:
    """``F32[2,3]``; nothing where there is none."""
    if stored is None:
        return ""
    return f"{stored.dtype}[{','.join(map(str, stored.shape))}]"
