"""The report as JSON: the model's own shape, described in docs/report.md."""

import json
from dataclasses import asdict

from lineage.audit.model import Report


def render(report: Report) -> str:
    """The report as JSON text, pure ASCII, keys in the model's order."""
    data = {"schema_version": report.schema_version, **asdict(report)}
    data["coverage"] = report.coverage
    return json.dumps(data, indent=1, allow_nan=False) + "\n"
