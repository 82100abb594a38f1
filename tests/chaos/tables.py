"""The counts of a run, as a page of Markdown has them."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from argparse import Namespace
    from pathlib import Path

    from tests.chaos.judge import Judge
    from tests.chaos.world import World

BEGIN, END = "<!-- counts -->\n", "<!-- /counts -->"
OUTCOMES = ("done", "refused", "killed")


def report(world: World, judge: Judge, args: Namespace) -> str:
    """What was done, what was done to it, and what was found at the end."""
    counts = world.journal.counts
    names = sorted({name for name, _ in counts})
    lines = [
        f"    {'command':<16}{'done':>8}{'refused':>9}{'killed':>8}",
        *(
            f"    {name:<16}{counts[name, 'done']:>8}{counts[name, 'refused']:>9}"
            f"{counts[name, 'killed']:>8}"
            for name in names
        ),
        f"    {'all':<16}"
        + "".join(
            f"{sum(n for (_, how), n in counts.items() if how == outcome):>{width}}"
            for outcome, width in zip(OUTCOMES, (8, 9, 8), strict=True)
        ),
    ]
    happened = [
        f"    {what:<52}{n:>7}" for what, n in sorted(world.journal.happened.items())
    ]
    seen = [f"    {what:<62}{n:>7}" for what, n in judge.seen.items()]
    found = len(world.journal.findings)
    return "\n".join(
        [
            f"`--minutes {args.minutes:g} --seed {args.seed}`:",
            "", *lines,
            "", "What was done to them, and other things that happened:",
            "", *happened,
            "", "At the end:",
            "", *seen, f"    {'findings':<62}{found:>7}", "",
        ]
    )  # fmt: skip


def log(world: World) -> str:
    """Why commands refused, and all findings."""
    reasons = sorted(
        world.journal.reasons.items(), key=lambda one: (one[0][0], -one[1])
    )
    lines = [f"{count:>6}  {name}: {why}" for (name, why), count in reasons]
    return "\n".join([*lines, *(f"FOUND  {one}" for one in world.journal.findings)])


def write(page: Path, text: str) -> None:
    """Put the counts where the page has them."""
    old = page.read_text(encoding="utf-8")
    pattern = re.escape(BEGIN) + ".*?" + re.escape(END)
    new = re.sub(pattern, lambda _: f"{BEGIN}\n{text}\n{END}", old, flags=re.DOTALL)
    page.write_text(new, encoding="utf-8")
