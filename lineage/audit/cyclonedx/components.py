"""Commits as components: what they are, what they hash to, what is known of them."""

import json
import re
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from lineage.audit.chosen import event_urn, made_of, root, turns, urn
from lineage.audit.model import Artifact, Measurement, Report
from lineage.audit.steps import COUNTS
from lineage.descent.roles import WEIGHTS
from lineage.store.files import FileEntry, in_root_order

_TYPES = {
    "config": "data",
    "dataset": "data",
    "generation": "application",
    "model": "machine-learning-model",
}
_DATA = {"config": "configuration", "dataset": "dataset"}
_ALGORITHMS = {"md5": 32, "sha1": 40, "sha256": 64, "sha384": 96, "sha512": 128}
_NAMES = {"md5": "MD5", **{f"sha{n}": f"SHA-{n}" for n in (1, 256, 384, 512)}}
_URL = re.compile(  # no more than every reader of URLs agrees on
    r"[A-Za-z][A-Za-z0-9+.-]*://[A-Za-z0-9.-]+(:[0-9]{1,5})?"
    r"(/([A-Za-z0-9._~!$&'()*+,;=:@/-]|%[0-9A-Fa-f]{2})*)?"
)


class Components:
    """Makes the components of one report; `files` are those of what it is on."""

    def __init__(
        self, report: Report, files: Mapping[str, Sequence[FileEntry]]
    ) -> None:
        self.known = {made.id: made for made in report.artifacts}
        self._files = files
        self._made_of = made_of(report)
        self._events: dict[str, dict[str, Any]] = defaultdict(dict)
        for live in report.releases:
            named = f"released:{live.environment}:{live.event[:12]}"
            self._events[live.subject][named] = {
                "since": live.since,
                "until": live.until,
            }
        for taint in report.taints:
            for id_ in taint.reaches:
                told = {
                    "reason": taint.reason,
                    "lifted": taint.lifted,
                    "perhaps": id_ in taint.perhaps,
                }
                self._events[id_][f"tainted:{taint.event[:12]}"] = told
        self._measured: dict[str, list[Measurement]] = {}
        self._held_out: dict[str, list[str]] = {}
        for turn in turns(report):
            for part in turn.parts:
                if part.kind == "model" and part.id not in self._measured:
                    self._measured[part.id] = [
                        metric for metric in turn.metrics if metric.name not in COUNTS
                    ]
                    self._held_out[part.id] = [edge.id for edge in turn.held_out]

    def of(self, made: Artifact) -> dict[str, Any]:
        """A commit with all that the format has a place for."""
        found = {**_basic(made), "bom-ref": urn(made.id), "pedigree": self._past(made)}
        licence = made.origin.get("licence")
        if licence and isinstance(licence.value, str):
            named = {"name": licence.value, "acknowledgement": "declared"}
            found["licenses"] = [{"license": named}]
        held = made.bytes.value or {}
        if _URL.fullmatch(url := str(held.get("uri", ""))):
            found["externalReferences"] = [{"type": "distribution", "url": url}]
        if made.kind in _DATA:
            found["data"] = [_data(made)]
        if made.kind == "model":
            found["modelCard"] = self._card(made)
        if listed := [
            _file(file) for file in in_root_order(self._files.get(made.id, ()))
        ]:
            found["components"] = listed
        told = {**_told(made), **self._events.get(made.id, {})}
        return {**found, "properties": properties(told)}

    def _past(self, made: Artifact) -> dict[str, Any]:
        """The git commit, and the models that its weights come from."""
        committed = {"timestamp": made.time, "name": made.by}
        commit = {"uid": made.git, "committer": committed}
        if made.message and made.message.value:
            commit["message"] = made.message.value
        ids = dict.fromkeys(edge.id for edge in made.sources if edge.role in WEIGHTS)
        ancestors = [_basic(self.known[id_]) for id_ in ids]
        return (
            {"ancestors": ancestors, "commits": [commit]}
            if ids
            else {"commits": [commit]}
        )

    def _card(self, made: Artifact) -> dict[str, Any]:
        """What a model was trained and measured on, and what was measured."""
        trained = [edge.id for edge in made.sources if edge.role == "trained_on"]
        measured = [e.id for e in made.sources if e.role == "evaluated_on"]
        measured += self._held_out.get(made.id, [])
        metrics = {m.name: m for m in self._measured.get(made.id, [])}
        metrics |= {m.name: m for m in made.metrics}
        refs = dict.fromkeys((*trained, *measured))
        return {
            "modelParameters": {"datasets": [{"ref": urn(id_)} for id_ in refs]},
            "quantitativeAnalysis": {
                "performanceMetrics": [_metric(m) for m in metrics.values()]
            },
            "properties": properties(
                {
                    "made-of": self._made_of.get(made.id),
                    **{f"metric:{m.name}": _meant(m) for m in metrics.values()},
                }
            ),
        }


def _basic(made: Artifact) -> dict[str, Any]:
    """What identifies a commit to whoever has never heard of lineage."""
    found = {"type": _TYPES[made.kind], "name": made.name, "version": made.id}
    hashes = list(_hashes(made))
    return {**found, "hashes": hashes} if hashes else found


def _hashes(made: Artifact) -> Iterator[dict[str, str]]:
    """The root over the files, or the digest that was stated of them."""
    if whole := root(made):
        yield {"alg": "SHA-256", "content": whole}
    stated = str((made.bytes.value or {}).get("digest", ""))
    algorithm, _, value = stated.partition(":")
    if _ALGORITHMS.get(algorithm) == len(value) and re.fullmatch("[0-9a-f]+", value):
        yield {"alg": _NAMES[algorithm], "content": value}


def _file(file: FileEntry) -> dict[str, Any]:
    hashes = [{"alg": "SHA-256", "content": file.sha256}]
    return {"type": "file", "name": file.path, "hashes": hashes}


def _data(made: Artifact) -> dict[str, Any]:
    """What kind of data a commit is; of a config its values too."""
    found: dict[str, Any] = {"type": _DATA[made.kind], "name": made.name}
    if made.kind == "config" and made.params:
        content = json.dumps(made.params.value, sort_keys=True)
        attached = {"contentType": "application/json", "content": content}
        found["contents"] = {"attachment": attached}
    return found


def _metric(metric: Measurement) -> dict[str, Any]:
    found = {"type": metric.name, "value": json.dumps(metric.value)}
    if metric.interval:
        low, high = map(json.dumps, metric.interval)
        return {**found, "confidenceInterval": {"lowerBound": low, "upperBound": high}}
    return found


def _meant(metric: Measurement) -> dict[str, Any]:
    """What the format has no place for: how a metric is defined, over how many."""
    names = ("definition", "version", "direction", "n", "commit")
    found = {name: getattr(metric, name) for name in names}
    return {name: value for name, value in found.items() if value is not None}


def _told(made: Artifact) -> dict[str, Any]:
    """Everything else, as properties."""
    held = {f"bytes:{key}": value for key, value in (made.bytes.value or {}).items()}
    origin = {f"origin:{key}": said.value for key, said in made.origin.items()}
    stated = {f"stated:{key}": said.value for key, said in made.stated.items()}
    own = made.kind != "config" and made.params
    return {
        "kind": made.kind,
        "generation": made.generation,
        "event": event_urn(made.event),
        "signature": made.signature.state,
        **held,
        **origin,
        **stated,
        **({"params": made.params.value} if own and made.params else {}),
        **{f"measured:{m.name}": m.value for m in made.metrics if made.kind != "model"},
    }


def properties(told: Mapping[str, Any]) -> list[dict[str, str]]:
    """Names and values in our own namespace; what is None is left out."""
    return [
        {"name": f"lineage:{name}", "value": _text(value)}
        for name, value in told.items()
        if value is not None
    ]


def _text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, sort_keys=True)
