"""The report of a bundle, made anew from the history in it and nothing else.

So an auditor who has lineage need not believe a page, a sum or an answer: the same
history gives the same bytes.
"""

import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

from lineage.audit import as_html, as_json
from lineage.audit.given import Given
from lineage.audit.obligations.filling import addressed
from lineage.audit.obligations.template import built_in
from lineage.audit.report import report
from lineage.bundle.encoding import encode
from lineage.bundle.formats import rendered
from lineage.registry import Registry
from lineage.store import names
from lineage.store.git import GitRepository

_AUDIENCE = "authority"  # a bundle is for no other
_REFS = f"{names.ROOT}*:{names.ROOT}*"


def again(
    history: Path, subjects: Sequence[str], template: tuple[str, int] | None
) -> Mapping[str, bytes] | None:
    """The files of a bundle that are made from its history, by name.

    `history` is a repository with the refs of ``registry.bundle``, `template` the name
    and version of the one that the report answers; None where it is none of ours. The
    machine formats come without a signature.

    Raises:
        LineageError: when the history is no registry with these commits.
    """
    known = {(one.id, one.version): one for one in built_in()}
    if template is not None and template not in known:
        return None
    with tempfile.TemporaryDirectory(prefix="lineage-again-") as folder:
        git = GitRepository.create(Path(folder))
        git.run("fetch", "--quiet", "--no-tags", str(history), _REFS)
        with Registry(git) as registry:
            registry.home.mkdir()
            made = report(registry, " | ".join(subjects))
            made = addressed(made, _AUDIENCE, known[template] if template else None)
            files = {
                f"data/formats/{name}": data
                for name, data in rendered(made, Given(registry))
            }
            page = as_html.render(made).encode()
            data = encode(as_json.render(made))
    return {**files, "data/report.html": page, "data/report.json": data}
