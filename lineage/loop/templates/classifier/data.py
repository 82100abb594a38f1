"""The patients of scikit-learn's breast cancer data, and a first model of thirty."""

import json
from pathlib import Path
from typing import Any

import numpy as np
from sklearn.datasets import load_breast_cancer
from steps import fit

HELD_OUT = 170
FIRST = 60  # patients that somebody labelled by hand before there was a model


def write(path: str, patients: Any, labels: Any) -> None:
    """One patient a line: the measurements, and 1 for malignant."""
    with Path(path).open("w") as file:
        for row, label in zip(patients, labels, strict=True):
            text = " ".join([*(f"{value:.5g}" for value in row), str(label)])
            file.write(json.dumps({"text": text}) + "\n")


if __name__ == "__main__":
    data = load_breast_cancer()
    order = np.random.default_rng(0).permutation(len(data.target))
    patients, labels = data.data[order], 1 - data.target[order]
    write("held-out.jsonl", patients[:HELD_OUT], labels[:HELD_OUT])
    patients, labels = patients[HELD_OUT:], labels[HELD_OUT:]
    write("patients.jsonl", patients, labels)
    Path("seed").mkdir(exist_ok=True)
    fit(patients[:FIRST], labels[:FIRST], Path("seed"))
    print(f"patients.jsonl, held-out.jsonl, and seed, a model of {FIRST} patients")
