"""The steps of a classifier that labels its own next training set.

A record is a patient: thirty measurements of a tumour and, last, 1 for malignant.
A model is a logistic regression, kept as numbers in JSON.
"""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

SIZE = 300  # patients that each generation labels


def generate(job: Any) -> dict[str, Any]:
    """Draw patients and label them as likely as the newest model thinks.

    With `labels = likely > 0.5` instead each generation is surer than the one before,
    and the gate stops the loop.
    """
    import numpy as np

    draw = np.random.default_rng(job.seed)
    patients, _ = table(job.inputs["human"])
    chosen = patients[draw.integers(len(patients), size=SIZE)]
    chosen *= 1 + draw.normal(0, 0.01, chosen.shape)  # nobody is measured twice alike
    likely = scores(job.inputs["model"], chosen)
    labels = draw.random(SIZE) < likely
    with (job.output / "labelled.jsonl").open("w") as file:
        for number, (row, label) in enumerate(zip(chosen, labels, strict=True)):
            text = " ".join([*(f"{value:.5g}" for value in row), str(int(label))])
            file.write(json.dumps({"id": f"patient-{number:04d}", "text": text}) + "\n")
    return {"circumstances": {"patients": SIZE}}


def train(job: Any) -> None:
    """Fit a successor to what it is given, and to nothing else."""
    fit(*table(job.inputs["dataset"]), job.output)


def evaluate(job: Any) -> dict[str, Any]:
    """Right answers, and for each class how much of it is found."""
    patients, labels = table(job.inputs["held_out"])
    said = scores(job.inputs["model"], patients) > 0.5
    higher = {"direction": "higher", "version": 1}
    found = {
        "accuracy": (said == labels).mean(),
        "recall_malignant": said[labels == 1].mean(),
        "recall_benign": (~said[labels == 0]).mean(),
    }
    metrics: dict[str, Any] = {
        name: {"value": float(value), "n": len(labels), **higher}
        for name, value in found.items()
    }
    metrics["share_malignant"] = {"value": float(said.mean()), "n": len(labels)}
    return {"metrics": metrics}


def predict(model: Path, held_out: Path) -> dict[str, list[Any]]:
    """What the fairness gate asks: truths, answers, and a group for each patient."""
    patients, labels = table(held_out)
    score = scores(model, patients)
    coarse = patients[:, 1] > 19  # mean texture
    return {
        "y_true": labels.tolist(),
        "y_pred": (score > 0.5).astype(int).tolist(),
        "y_score": score.tolist(),
        "groups": ["coarse" if each else "fine" for each in coarse],
    }


def table(folder: Path) -> tuple[Any, Any]:
    """The measurements and the labels of a dataset's records."""
    import numpy as np

    rows = np.array([list(map(float, text.split())) for text in texts(folder)])
    return rows[:, :-1], rows[:, -1].astype(int)


def texts(folder: Path) -> Iterator[str]:
    """What the records of a dataset say."""
    for shard in sorted(folder.rglob("*.jsonl")):
        for line in shard.read_text().splitlines():
            yield json.loads(line)["text"]


def fit(patients: Any, labels: Any, folder: Path) -> None:
    """A logistic regression on standardised measurements, written as JSON."""
    from sklearn.linear_model import LogisticRegression

    mean, spread = patients.mean(axis=0), patients.std(axis=0)
    fitted = LogisticRegression(max_iter=500).fit((patients - mean) / spread, labels)
    weights = fitted.coef_[0] / spread
    bias = fitted.intercept_[0] - (weights * mean).sum()
    model = {"bias": float(bias), "weights": weights.tolist()}
    (folder / "model.json").write_text(json.dumps(model) + "\n")


def scores(folder: Path, patients: Any) -> Any:
    """How likely each patient is ill, as a model thinks."""
    import numpy as np

    model = json.loads((folder / "model.json").read_text())
    odds = patients @ np.array(model["weights"]) + model["bias"]
    return 1 / (1 + np.exp(-odds))
