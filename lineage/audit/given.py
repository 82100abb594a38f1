"""What a format of a report may need besides the report."""

from dataclasses import dataclass
from pathlib import Path

from lineage.registry import Registry


@dataclass(frozen=True, slots=True)
class Given:
    """What a format may need besides the report.

    `registry` to list the files of a commit, `key` the private key in PEM that signs
    the formats that are signed.
    """

    registry: Registry
    key: Path | None = None
