"""Near duplicates of an evaluation set: the exact join beside MinHash LSH.

Training records are 40 words of the standard library's files, a tenth of them
evaluation records with one to eight words changed. What there is to find is counted
with an inverted index of all shingles, which has nothing to do with ours. Numbers are
in docs/contamination.md and docs/adr/0020-near-duplicates.md.

    python tests/bench/near_duplicates.py [RECORDS] [EVALUATION RECORDS]
    python tests/bench/near_duplicates.py --stream [RECORDS] [EVALUATION RECORDS]
    python tests/bench/near_duplicates.py --library

The second makes a registry with so many training records and traces a model of it.
The third planted nothing: paragraphs of Python's documentation in its source code.
"""

from __future__ import annotations

import json
import random
import resource
import subprocess
import sys
import sysconfig
import tempfile
import time
from collections import Counter
from itertools import islice
from pathlib import Path
from pydoc_data import topics
from typing import TYPE_CHECKING

import lineage
from lineage.contamination import contamination
from lineage.contamination.index import NEAR, Index, Match, stronger
from lineage.contamination.words import words
from lineage.store.objects import Edge

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

WORDS = 40
PERMUTATIONS, BANDS = 128, 32
BATCH = 2000
Pairs = set[tuple[int, int]]
Rows = list[list[str]]


def source() -> list[str]:
    """The words of the standard library's files."""
    files = sorted(Path(sysconfig.get_path("stdlib")).rglob("*.py"))[:1500]
    return [w for file in files for w in words(file.read_text("utf-8", "replace"))]


def draw(count: int, exams: int) -> tuple[Rows, Iterator[list[str]]]:
    """Evaluation records, and training records of which a tenth are like one."""
    said, chosen = source(), random.Random(0)  # noqa: S311

    def piece() -> list[str]:
        start = chosen.randrange(len(said) - WORDS)
        return said[start : start + WORDS]

    exam = [piece() for _ in range(exams)]

    def training() -> Iterator[list[str]]:
        for _ in range(count):
            row = piece()
            if chosen.random() < 0.1:
                row = list(chosen.choice(exam))
                for place in chosen.sample(range(WORDS), chosen.randint(1, 8)):
                    row[place] = chosen.choice(said)
            yield row

    return exam, training()


def shingles(row: list[str]) -> set[str]:
    return {" ".join(row[n : n + 3]) for n in range(len(row) - 2)}


def truth(exam: Rows, training: Rows) -> dict[tuple[int, int], float]:
    """Every pair that has shingles in common, with its Jaccard index."""
    known = [shingles(row) for row in exam]
    index: dict[str, list[int]] = {}
    for number, own in enumerate(known):
        for shingle in own:
            index.setdefault(shingle, []).append(number)
    found = {}
    for number, row in enumerate(training):
        own = shingles(row)
        shared = Counter(e for shingle in own for e in index.get(shingle, ()))
        for e, both in shared.items():
            found[e, number] = both / (len(own) + len(known[e]) - both)
    return found


def prefix_join(exam: Rows, training: Rows) -> tuple[Pairs, float]:
    """What `lineage trace --against` does, runs of words and all."""
    index = Index(exam)
    start, found = time.process_time(), set()
    for first in range(0, len(training), BATCH):
        for match in index.matches(training[first : first + BATCH]):
            if match.kind != "part":
                found.add((match.record, first + match.text))
    return found, time.process_time() - start


def with_datasketch(exam: Rows, training: Rows) -> tuple[Pairs, float]:
    from datasketch import MinHash, MinHashLSH

    def sketch(row: list[str]) -> MinHash:
        made = MinHash(num_perm=PERMUTATIONS)
        made.update_batch([s.encode() for s in shingles(row)])
        return made

    index = MinHashLSH(threshold=NEAR, num_perm=PERMUTATIONS)
    for number, row in enumerate(exam):
        index.insert(number, sketch(row))
    start = time.process_time()
    found = {(e, n) for n, row in enumerate(training) for e in index.query(sketch(row))}
    return found, time.process_time() - start


def with_rensa(exam: Rows, training: Rows) -> tuple[Pairs, float]:
    from rensa import RMinHash, RMinHashLSH

    def sketches(rows: Iterable[list[str]]) -> list[RMinHash]:
        sets = [list(shingles(row)) for row in rows]
        return list(RMinHash.from_token_sets(sets, PERMUTATIONS, 1))

    index = RMinHashLSH(NEAR, PERMUTATIONS, BANDS)
    index.insert_many(sketches(exam))
    start = time.process_time()
    found: Pairs = set()
    for first in range(0, len(training), BATCH):
        batch = sketches(training[first : first + BATCH])
        for number, keys in enumerate(index.query_all(batch), start=first):
            found.update((e, number) for e in keys)
    return found, time.process_time() - start


CONTESTANTS: dict[str, Callable[[Rows, Rows], tuple[Pairs, float]]] = {
    "exact prefix join": prefix_join,
    "datasketch, 128": with_datasketch,
    f"rensa, 128 in {BANDS} bands": with_rensa,
}


def compare(count: int, exams: int) -> None:
    """Recall, wrong candidates and CPU time of each."""
    exam, rows = draw(count, exams)
    training = list(rows)
    indices = truth(exam, training)
    near = {pair for pair, jaccard in indices.items() if jaccard >= NEAR}
    print(f"{count:,} training records, {exams:,} evaluation records; ", end="")
    print(f"{len(near):,} pairs of a Jaccard index of at least {NEAR}")
    for least in (0.3, 0.4, 0.5, 0.6, 0.7, 0.8):
        pairs = sum(jaccard >= least for jaccard in indices.values())
        print(f"  at least {least}: {pairs:,} pairs")
    print(f"{'':24}  {'found':>8}  {'recall':>8}  {'too many':>8}  {'records/s':>10}")
    for name, contestant in CONTESTANTS.items():
        found, seconds = contestant(exam, training)
        recall = len(found & near) / len(near)
        wrong = len(found - near)
        line = f"{len(found & near):8,}  {recall:8.2%}  {wrong:8,}"
        print(f"{name:24}  {line}  {count / seconds:10,.0f}")


def stream(count: int, exams: int) -> None:
    """Trace a model that was trained on so many records; CPU time and memory."""
    with tempfile.TemporaryDirectory() as top:
        place = Path(top) / "registry"
        subprocess.run([sys.executable, __file__, "--make", str(place), str(count),
                        str(exams)], check=True)  # fmt: skip
        with lineage.open(place) as registry:
            start = time.process_time()
            found = contamination(registry, "model/m", "dataset/exam")
            seconds = time.process_time() - start
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    size = sum(each.records for each in found.looked)
    print(f"{size:,} training records, {found.records:,} evaluation records")
    print(f"{len(found.strongest):,} found, {len(found.hits):,} hits")
    told = f"{seconds:.1f} CPU s, {size / seconds:,.0f} records/s"
    print(f"{told}, RSS {peak / 1e6:,.0f} MB")


def library() -> None:
    """Which paragraphs of the documentation stand in the standard library."""
    exam = [words(p) for text in topics.topics.values() for p in text.split("\n\n")]
    exam = [row for row in exam if len(row) > 4]
    index, best, count = Index(exam), dict[int, Match](), 0
    start = time.process_time()
    for file in sorted(Path(sysconfig.get_path("stdlib")).rglob("*.py")):
        if "pydoc_data" in file.parts or "site-packages" in file.parts:
            continue
        rows = [words(p) for p in file.read_text("utf-8", "replace").split("\n\n")]
        count += len(rows)
        for match in index.matches(rows):
            if match.record not in best or stronger(match, best[match.record]):
                best[match.record] = match
    kinds = Counter(match.kind for match in best.values())
    print(f"{count:,} paragraphs of source code, {len(exam):,} of documentation")
    print(f"{len(best):,} are there: {dict(kinds)}")
    shares = sorted(m.share for m in best.values() if m.kind == "near")
    print("near:", " ".join(f"{share:.2f}" for share in shares))
    print(f"{time.process_time() - start:.1f} CPU s")


def make(place: Path, count: int, exams: int) -> None:
    """A registry with a model that was trained on them."""
    exam, training = draw(count, exams)
    with lineage.init(place) as registry:
        ids = []
        for name, rows in (("exam", iter(exam)), ("data", training)):
            path = place / f"{name}.jsonl"
            with path.open("w", encoding="utf-8") as file:
                while part := list(islice(rows, BATCH)):
                    lines = (json.dumps({"text": " ".join(row)}) for row in part)
                    file.writelines(f"{line}\n" for line in lines)
            ids.append(registry.commit("dataset", name, path).id)
        edges = [Edge("trained_on", ids[1])]
        registry.commit("model", "m", external={"uri": "s3://m"}, edges=edges)


def main() -> None:
    args = sys.argv[1:]
    numbers = [int(arg) for arg in args if arg.isdigit()]
    count, exams = (*numbers, *(20_000, 1000)[len(numbers) :])
    if "--library" in args:
        library()
    elif "--make" in args:
        make(Path(args[1]), count, exams)
    elif "--stream" in args:
        stream(count, exams)
    else:
        compare(count, exams)


if __name__ == "__main__":
    main()
