"""The machine formats of a report, as files of a bundle."""

from collections.abc import Iterator

from lineage.audit import as_oms
from lineage.audit.chosen import with_parts
from lineage.audit.formats import FORMATS
from lineage.audit.given import Given
from lineage.audit.model import Report

_WHOLE = {  # by name of the file, sorted: formats that say all of a report
    "ml-bom.cdx.json": "cyclonedx",
    "prov.json": "prov",
    "provenance.intoto.json": "in-toto",
}


def rendered(report: Report, given: Given) -> Iterator[tuple[str, bytes]]:
    """Each format by the name of its file, sorted.

    The files of each commit that was asked for, or is a part of one, are listed in a
    model signature of its own.
    """
    made = {
        f"{one.id[:12]}.oms.json": as_oms.signed(
            as_oms.statement(one, files), given.key
        )
        for one in with_parts(report)
        if as_oms.listed(files := given.registry.files(one.id))
    }
    yield from sorted(made.items())
    for name, format_ in _WHOLE.items():
        yield name, FORMATS[format_](report, given)
