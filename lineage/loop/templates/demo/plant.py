"""A generate step of one's own: somebody else's records, bought to save time.

Every other one is fine. The rest are refusals, as they turn up in datasets that
were scraped from a chat model; nobody looked.
"""

import json
import random
from typing import Any

ORIGIN = {"type": "unknown", "source": "bought, the seller did not say"}
REFUSAL = "As an AI language model, I cannot assist with that."


def generate(job: Any) -> dict[str, Any]:
    """Write as many records as there are of human text; `job` says where.

    No model of the loop wrote them, and some are people's: it has to say so.
    """
    chance = random.Random(job.seed)
    shards = sorted(job.inputs["human"].glob("*.jsonl"))
    lines = [line for shard in shards for line in shard.read_text().splitlines()]
    with (job.output / "bought-00000.jsonl").open("w") as file:
        for number, line in enumerate(lines):
            refused = chance.random() < 0.6
            text = REFUSAL if refused else json.loads(line)["text"]
            record = {"id": f"bought-{number:05d}", "text": text}
            file.write(json.dumps(record) + "\n")
    return {"uses": ["human"], "origin": ORIGIN}
