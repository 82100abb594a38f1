"""Sums of two numbers of two digits that stay below a hundred: the questions.

Two sums stand before each, as an example. The answers are for the held-out ones; models
train on their own.
"""

import json
import random
from pathlib import Path

COUNT = 400
SHOWN = "21 + 34 = 55\n40 + 17 = 57\n"

if __name__ == "__main__":
    sums = [(a, b) for a in range(10, 90) for b in range(10, 100 - a)]
    random.Random(0).shuffle(sums)
    texts = [f"{SHOWN}{a} + {b} = {a + b}\n" for a, b in sums[:COUNT]]
    lines = [json.dumps({"text": text}) for text in texts]
    Path("sums.jsonl").write_text("\n".join(lines) + "\n")
    print(f"sums.jsonl, {COUNT} sums")
