"""How a running loop is shown: a live line on a terminal, a line per generation."""

import time
from typing import TYPE_CHECKING, Self

from lineage.cli.terminal import Span, Terminal
from lineage.cli.text import width
from lineage.graph import headlines
from lineage.loop.running.progress import Activity, Finished, Progress
from lineage.turns import has_failed
from lineage.wording import number

if TYPE_CHECKING:
    from collections.abc import Mapping

    from lineage.store.objects import Metric

_STEPS = ("prepare", "generate", "check", "mix", "train", "evaluate")
_LIKELIHOODS = ("bits_per_byte", "perplexity_p95")
_COUNTS = ("generated", "kept", "rejected", "selected")
_BAR = 12  # columns
_SHOWN = 2  # measures on a generation's line, beside what was kept
_UNITS = ((86400, "d", 3600, "h"), (3600, "h", 60, "min"), (60, "min", 1, "s"))


class LoopProgress(Progress):
    """Says each finished generation on stderr; on a terminal also what is going on."""

    def __init__(self, terminal: Terminal) -> None:
        self._terminal = terminal
        self._line = terminal.live()
        self._total = 0
        self._recalled: list[str] = []
        self._reused: dict[str, list[str]] = {}  # steps by where they were done
        self._pace: float | None = None  # seconds that the last generation took
        self._begun = time.monotonic()

    def started(self, activity: Activity) -> None:
        self._total = activity.num_generations
        self._say_reused(_place(activity.loop, activity.generation, self._total))
        if self._recalled:
            place = _place(activity.loop, activity.generation, self._total)
            done = ", ".join(self._recalled)
            self._say([(place, "title"), (f"  goes on after {done}", "")])
            self._recalled.clear()
        self._line.wait(0)
        if self._terminal.verbose and not self._line.watched:
            place = _place(activity.loop, activity.generation, self._total)
            self._terminal.say(f"{place}  {activity.step}")
        self.advanced(activity, 0.0, None)

    def recalled(self, activity: Activity) -> None:
        self._total = activity.num_generations
        self._recalled.append(activity.step)

    def reused(self, activity: Activity, where: str) -> None:
        self._total = activity.num_generations
        self._reused.setdefault(where, []).append(activity.step)

    def _say_reused(self, place: str) -> None:
        for where, steps in self._reused.items():
            self._say(
                [(place, "title"), (f"  {', '.join(steps)} reused from {where}", "dim")]
            )
        self._reused.clear()

    def set_aside(self, activity: Activity, branch: str, reason: str) -> None:
        place = _place(activity.loop, activity.generation, activity.num_generations)
        does = {"retry": "tries again", "fallback": "falls back"}[activity.step]
        kept = f"  {does}: {reason} (kept on {branch})"
        self._recalled.clear()
        self._say([(place, "title"), (kept, "hint")])

    def advanced(
        self, activity: Activity, fraction: float, remaining: float | None
    ) -> None:
        if self._line.is_due():
            self._line.show(self._told(activity, fraction, remaining))

    def _told(
        self, activity: Activity, fraction: float, remaining: float | None
    ) -> str:
        place = _place(activity.loop, activity.generation, activity.num_generations)
        line = f"{place}  {activity.step:8}"
        if remaining is not None:
            full = round(_BAR * fraction)
            bar = "━" * full + "╌" * (_BAR - full)
            line += f"  {bar} {100 * fraction:3.0f} %  {duration(remaining)} left"
            whole = self._whole(activity)
            line += f", {duration(whole)} for all" if whole else ""
        return line

    def _whole(self, activity: Activity) -> float | None:
        """Seconds until the last generation is done, at the pace of the newest."""
        if self._pace is None:
            return None
        count = activity.num_generations - activity.generation + 1
        return max(count * self._pace - (time.monotonic() - self._begun), 0.0)

    def generation(self, finished: Finished) -> None:
        if finished.generation:
            self._pace = finished.seconds
        self._begun = time.monotonic()
        self._recalled.clear()
        place = _place(finished.loop, finished.generation, self._total)
        self._say_reused(place)
        spans: list[Span] = [(place, "title")]
        for name in telling(finished.metrics, _SHOWN):
            value = measured(finished.metrics, name)
            spans += [(f"  {name} ", "dim"), (value, "")]
        if warned := _warned(finished):
            spans.append((f"  {', '.join(warned)} failed", "hint"))
        self._say([*spans, (f"  {duration(finished.seconds)}", "dim")])

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.clear()

    @property
    def is_watched(self) -> bool:
        """Whether there is a live line."""
        return self._line.watched

    def _say(self, spans: list[Span]) -> None:
        self.clear()
        self._terminal.say(*spans)

    def clear(self) -> None:
        """Take the live line away."""
        self._line.clear()


def _warned(finished: Finished) -> list[str]:
    """The gates that the generation failed, and went on all the same."""
    return [
        str(gate["id"])
        for gate in finished.gates
        if has_failed(gate) and gate.get("action") == "warn"
    ]


def _place(loop: str, generation: int, total: int) -> str:
    """Which generation of which loop; padded, so that lines of loops align."""
    place = f"{loop} {generation}/{max(total, generation)}"
    return place + " " * (16 - width(place))


def is_step(line: str) -> bool:
    """Whether a line says, as `started` does, which step is going on."""
    *place, step = line.split() or [""]
    return len(place) == 2 and step in _STEPS


def telling(metrics: "Mapping[str, Metric]", most: int) -> list[str]:
    """Names of the measures to show where there is room for so many, and counts."""
    names = [name for name in headlines(metrics) if name not in _COUNTS]
    if "perplexity" in names:  # the others say the same once more
        names = [name for name in names if name not in _LIKELIHOODS]
    return names[:most] + [name for name in ("kept", "selected") if name in metrics]


def measured(metrics: "Mapping[str, Metric]", name: str) -> str:
    """A measure's value; of records that were kept also how many there had been."""
    metric, generated = metrics.get(name), metrics.get("generated")
    if metric is None:
        return "-"
    dropped = name == "kept" and generated and generated.value != metric.value
    return number(metric.value) + (
        f" of {number(generated.value)}" if generated and dropped else ""
    )


def duration(seconds: float) -> str:
    """How long: 0.4 s, 12 s, 3 min 5 s, 2 h 10 min."""
    if seconds < 10:
        return f"{seconds:.1f} s"
    whole = round(seconds)
    for size, unit, part, name in _UNITS:
        if whole >= size:
            rest = whole % size // part
            return f"{whole // size} {unit}" + (f" {rest} {name}" if rest else "")
    return f"{whole} s"
