"""Chats as a model's own template writes them.

A template may ask for the date; it always gets the same one, as what a model reads
must come out the same again.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from lineage.errors import LineageError, UsageError, first_line
from lineage.loop.quiet import quiet
from lineage.loop.records.text_files import as_messages
from lineage.loop.steps.model import shown, valid_ids, vocabulary
from lineage.loop.steps.session import INSTALL

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from lineage.loop.records.text_files import Turn

_DATE = datetime(2024, 7, 26, tzinfo=UTC)  # what Llama's template has for no date


class Chat:
    """The chat template of a model folder's tokenizer."""

    def __init__(self, folder: Path) -> None:
        self._tokenizer = _load(folder)
        if not self._tokenizer.chat_template:
            message = f"the model {shown(folder)} has no chat template"
            hint = "give a chat model, or leave out chat: true"
            raise UsageError(message, hint=hint)

    def whole(self, turns: Sequence[Turn]) -> str:
        """All turns, as the model is trained on them."""
        return self._written(turns, opened=False)

    def opened(self, turns: Sequence[Turn]) -> str:
        """The turns so far, and the beginning of the assistant's next one."""
        return self._written(turns, opened=True)

    def encode(self, text: str) -> list[int]:
        """The tokens of what the template wrote, which has its special ones."""
        ids: list[int] = self._tokenizer.encode(text, add_special_tokens=False)
        return ids

    def ends(self) -> list[int]:
        """The special tokens that end a turn of the assistant's."""
        asked: list[Turn] = [("user", "a")]
        said = self.whole([*asked, ("assistant", "b")]).removeprefix(self.opened(asked))
        special = set(self._tokenizer.all_special_ids)
        special |= {
            i for i, t in self._tokenizer.added_tokens_decoder.items() if t.special
        }
        after = (id_ for id_ in self.encode(said) if id_ in special)
        found = {self._tokenizer.eos_token_id, next(after, None)}
        return sorted(id_ for id_ in found if id_ is not None)

    def _written(self, turns: Sequence[Turn], *, opened: bool) -> str:
        try:
            written: str = self._tokenizer.apply_chat_template(
                as_messages(turns),
                tokenize=False,
                add_generation_prompt=opened,
                strftime_now=_DATE.strftime,
            )
        except Exception as error:  # noqa: BLE001 - whatever a template raises
            message = f"the chat template cannot write this chat: {first_line(error)}"
            raise LineageError(message) from None
        return written


def ends_of(model: Any, chat: Chat | None) -> list[int]:
    """The tokens that end what a model writes: a text, and in a chat a turn."""
    size = vocabulary(model.config)
    places = (model.generation_config, model.config.get_text_config())
    ends = next(filter(None, (valid_ids(p, "eos_token_id", size) for p in places)), [])
    return ends + [id_ for id_ in (chat.ends() if chat else ()) if id_ not in ends]


def has_template(folder: Path) -> bool:
    """Whether a model folder's tokenizer has a chat template."""
    if (folder / "chat_template.jinja").exists():
        return True
    try:
        config = json.loads((folder / "tokenizer_config.json").read_bytes())
    except (OSError, ValueError):
        return False
    return bool(config.get("chat_template"))


def _load(folder: Path) -> Any:
    try:
        with quiet():
            from transformers import AutoTokenizer

            return AutoTokenizer.from_pretrained(
                folder, local_files_only=True, trust_remote_code=False
            )
    except ImportError as error:
        message = f"a chat template needs {error.name}"
        raise LineageError(message, hint=f"install it: {INSTALL}") from None
    except Exception as error:  # noqa: BLE001 - the library raises just that
        message = f"the model {shown(folder)} has no usable tokenizer"
        raise LineageError(f"{message}: {first_line(error)}") from None
