"""What `impact --plan` says as JSON; docs/json.md describes it."""

from typing import TYPE_CHECKING, Any

from lineage import shapes
from lineage.shapes import Json

if TYPE_CHECKING:
    from lineage.descent.plan import Plan
    from lineage.registry import Registry

ANEW = "-anew"  # behind the name of a loop


def planned(registry: "Registry", found: "Plan") -> Json:
    """What to make again, in order."""
    return {
        "source": shapes.named(registry, found.source),
        "loops": [
            {**loop._asdict(), "commands": commands(loop.branch, loop.clean)}
            for loop in found.loops
        ],
        "count": found.count,
        "steps": [_plain(step._asdict()) for step in found.steps],
    }


def _plain(fields: dict[str, Any]) -> Json:
    plain = {k: [*v] if isinstance(v, tuple) else v for k, v in fields.items()}
    return {**plain, "step": plain["step"] or None}


def commands(branch: str, clean: str | None) -> list[str]:
    """What makes a loop's generations again, as a loop with another name."""
    start = [f"lineage branch {branch}{ANEW} {clean[:12]}"] if clean else []
    return [*start, "lineage loop run FILE"]
