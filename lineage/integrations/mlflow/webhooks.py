"""MLflow's webhooks, kept in a file of this clone that its owner alone can read.

They are settings with secrets in them, not history: so they are no events, and never
pushed. MLflow's own server sends them.
"""

import json
import os
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any

from mlflow.entities.webhook import Webhook, WebhookEvent, WebhookStatus
from mlflow.exceptions import MlflowException
from mlflow.protos.databricks_pb2 import (
    INVALID_PARAMETER_VALUE,
    RESOURCE_DOES_NOT_EXIST,
)
from mlflow.store.entities.paged_list import PagedList
from mlflow.utils.validation import (
    _validate_webhook_events,
    _validate_webhook_name,
    _validate_webhook_url,
)

from lineage.integrations.mlflow.book import Json, millis
from lineage.integrations.mlflow.calls import Calls, whole
from lineage.integrations.mlflow.searching import page
from lineage.store.disk import disk_errors, locked
from lineage.store.events import now

_DEFAULT, _MOST = 100, 1000
_PRIVATE = 0o600


class Webhooks(Calls):
    """The webhooks of a store."""

    @whole
    def create_webhook(  # noqa: PLR0917 - MLflow's signature
        self,
        name: str,
        url: str,
        events: list[WebhookEvent],
        description: str | None = None,
        secret: str | None = None,
        status: WebhookStatus | None = None,
    ) -> Webhook:
        """Remember a webhook."""
        given = _checked(name, url, events, description, secret, status)
        moment = millis(now())
        fresh = {"status": "ACTIVE", "created": moment, "updated": moment}
        id_ = str(uuid.uuid4())
        self._change(lambda all_: all_.update({id_: {**fresh, **given}}))
        return self._webhook(id_)

    @whole
    def get_webhook(self, webhook_id: str) -> Webhook:
        """One webhook."""
        return self._webhook(webhook_id)

    @whole
    def list_webhooks(
        self, max_results: int | None = None, page_token: str | None = None
    ) -> PagedList[Webhook]:
        """The webhooks, the newest first."""
        return self._listed(list(self._read()), max_results, page_token)

    @whole
    def list_webhooks_by_event(
        self,
        event: WebhookEvent,
        max_results: int | None = None,
        page_token: str | None = None,
    ) -> PagedList[Webhook]:
        """The webhooks that want to hear of `event`, the newest first."""
        every, wanted = self._read().items(), _pair(event)
        found = [id_ for id_, one in every if wanted in one["events"]]
        return self._listed(found, max_results, page_token)

    @whole
    def update_webhook(  # noqa: PLR0917 - MLflow's signature
        self,
        webhook_id: str,
        name: str | None = None,
        description: str | None = None,
        url: str | None = None,
        events: list[WebhookEvent] | None = None,
        secret: str | None = None,
        status: WebhookStatus | None = None,
    ) -> Webhook:
        """Change what is given of a webhook."""
        before = self._webhook(webhook_id)
        given = _checked(name, url, events, description, secret, status)
        later = max(millis(now()), before.last_updated_timestamp + 1)
        news = {**given, "updated": later}
        self._change(lambda all_: all_[webhook_id].update(news))
        return self._webhook(webhook_id)

    @whole
    def delete_webhook(self, webhook_id: str) -> None:
        """Forget a webhook."""
        self._webhook(webhook_id)
        self._change(lambda all_: all_.pop(webhook_id))

    def _webhook(self, id_: str) -> Webhook:
        said = self._read().get(id_)
        if said is None:
            message = f"Webhook with ID {id_} not found."
            raise MlflowException(message, RESOURCE_DOES_NOT_EXIST)
        return Webhook(
            webhook_id=id_,
            name=said["name"],
            url=said["url"],
            events=[WebhookEvent(*pair) for pair in said["events"]],
            creation_timestamp=said["created"],
            last_updated_timestamp=said["updated"],
            description=said.get("description"),
            status=said["status"],
            secret=said.get("secret"),
        )

    def _listed(
        self, ids: list[str], max_results: int | None, page_token: str | None
    ) -> PagedList[Webhook]:
        size = _DEFAULT if max_results is None else max_results
        if not 1 <= size <= _MOST:
            message = f"max_results must be between 1 and {_MOST}."
            raise MlflowException(message, INVALID_PARAMETER_VALUE)
        return page([self._webhook(id_) for id_ in reversed(ids)], size, page_token)

    def _read(self) -> dict[str, Json]:
        try:
            found: dict[str, Json] = json.loads(self._file.read_bytes())
        except FileNotFoundError:
            return {}
        return found

    def _change(self, change: Callable[[dict[str, Json]], Any]) -> None:
        lock = self._file.with_suffix(".lock")
        with disk_errors("keeping the webhooks"), locked(lock):
            known = self._read()
            change(known)
            fresh = self._file.with_suffix(".new")
            fresh.unlink(missing_ok=True)
            made = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, _PRIVATE)
            with os.fdopen(made, "w", encoding="utf-8") as file:
                json.dump(known, file)
            fresh.replace(self._file)

    @property
    def _file(self) -> Path:
        return self.models.registry.home / "mlflow-webhooks.json"


def _checked(  # noqa: PLR0917 - as they are given
    name: str | None,
    url: str | None,
    events: list[WebhookEvent] | None,
    description: str | None,
    secret: str | None,
    status: WebhookStatus | None,
) -> Json:
    """What is given of a webhook, as it is kept.

    Raises:
        MlflowException: when something of it cannot be.
    """
    if name is not None:
        _validate_webhook_name(name)
    if url is not None:
        _validate_webhook_url(url)
    if events is not None:
        _validate_webhook_events(events)
    fields = {
        "name": name,
        "url": url,
        "events": None if events is None else [_pair(event) for event in events],
        "description": description,
        "secret": secret,
        "status": status and status.value,
    }
    return {key: value for key, value in fields.items() if value is not None}


def _pair(event: WebhookEvent) -> list[str]:
    return [event.entity.value, event.action.value]
