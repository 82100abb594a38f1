"""What an error says where no command line renders it."""

from __future__ import annotations

import traceback

from lineage.errors import UsageError


def test_a_traceback_says_what_to_do() -> None:
    """In a script of one's own, the details and the hint stand below the error."""
    error = UsageError("no such thing", hint="make one", details=["a.txt", "b.txt"])

    assert "".join(traceback.format_exception_only(error)) == (
        "lineage.errors.UsageError: no such thing\na.txt\nb.txt\nhint: make one\n"
    )
