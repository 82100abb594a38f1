"""All machine formats of one report, as files: what a bundle takes along."""

from collections.abc import Iterator

from lineage.audit import as_intoto, as_oms, as_prov
from lineage.audit.chosen import with_parts
from lineage.audit.cyclonedx import document
from lineage.audit.formats import Given
from lineage.audit.model import Report


def machine_files(report: Report, given: Given) -> Iterator[tuple[str, bytes]]:
    """Names and bytes: the graph, the bill, and two statements for each subject.

    The parts of a generation are subjects, too. The statements are signed where there
    is a key.

    Raises:
        StoreError: when the key cannot sign.
        UsageError: when it is not of P-256, which both formats take.
    """
    yield "prov.json", as_prov.render(report)
    yield "ml-bom.cdx.json", document.render(report, given)
    for made in with_parts(report):
        said = as_intoto.statement_of(report, [made], given.registry)
        yield f"{made.id[:12]}.intoto.json", as_intoto.signed(said, given.key)
        files = given.registry.files(made.id)
        if as_oms.listed(files):
            signature = as_oms.signed(as_oms.statement(made, files), given.key)
            yield f"{made.id[:12]}.oms.json", signature
