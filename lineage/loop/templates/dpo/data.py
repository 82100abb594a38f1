"""All sums of two numbers of two digits, one a line, in a fixed order."""

import json
from pathlib import Path

LINES = [
    json.dumps({"text": f"{one}+{other}={one + other:03d}"})
    for one in range(10, 100)
    for other in range(10, 100)
]

if __name__ == "__main__":
    Path("sums.jsonl").write_text("\n".join(LINES) + "\n")
    print(f"sums.jsonl, {len(LINES):,} sums")
