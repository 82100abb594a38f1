"""Actors that write over HTTP, and ask again until there is an answer."""

from __future__ import annotations

import time
from hashlib import sha256
from typing import TYPE_CHECKING, Any

import httpx  # noqa: TID253 - only who makes chaos imports this

if TYPE_CHECKING:
    from collections.abc import Callable
    from random import Random

    from tests.chaos.world import World

API = "/api/v1"
PATIENCE = 120.0  # seconds for which something is asked again


class Sender:
    """Sends files and commits under names of requests, so that each is done once."""

    def __init__(self, world: World, name: str, rng: Random) -> None:
        self.world, self.name, self.rng = world, name, rng
        self.count = 0
        self.client = httpx.Client(
            base_url=f"http://127.0.0.1:{world.port}", timeout=60
        )

    def act(self) -> None:
        """Send a file and its commit; remember the event that answered."""
        self.count += 1
        name = f"{self.name}-{self.count}"
        data = f"{name} {self.rng.random()}".encode() * 30
        address = sha256(data).hexdigest()
        new = {
            "kind": "dataset",
            "name": self.name,
            "branch": f"{self.name}/main",
            "payload": {
                "files": [{"path": "data.txt", "sha256": address}],
                "type": "file",
            },
            "message": name,
        }
        answer = self._again(lambda: self._send(address, data, new, name))
        if answer is None:
            return
        self.world.journal.note(f"HTTP {answer.status_code}")
        if answer.status_code in (200, 201):
            with self.world.known.lock:
                self.world.known.requests[name] = answer.json()["event"]
        elif (
            answer.status_code not in (409, 429, 503, 507) and not self.world.crowd.full
        ):
            self.world.journal.find(f"HTTP {answer.status_code}: {answer.text[:200]}")

    def _send(
        self, address: str, data: bytes, new: dict[str, Any], name: str
    ) -> httpx.Response:
        sent = self.client.put(f"{API}/files/{address}", content=data)
        if sent.status_code >= 300:
            return sent
        named = {"Idempotency-Key": name}
        return self.client.post(f"{API}/commits", json=new, headers=named)

    def _again(self, ask: Callable[[], httpx.Response]) -> httpx.Response | None:
        end = time.monotonic() + PATIENCE
        while time.monotonic() < end and not self.world.over.is_set():
            try:
                answer = ask()
            except httpx.TransportError:
                self.world.journal.note("HTTP without an answer")
            else:
                if (
                    answer.status_code not in (429, 503)
                    and "lacking" not in answer.text
                ):
                    return answer
            time.sleep(0.5)
        return None
