"""The name of a clone: what its pins in a shared cache are called by."""

import uuid
from contextlib import suppress
from pathlib import Path

from lineage.errors import StoreError
from lineage.store.disk import locked, write_atomically


def clone_name(home: Path) -> str:
    """The UUID of the clone whose own files are in `home`, made when first needed.

    Raises:
        StoreError: when the file that holds it is damaged.
    """
    path = home / "uuid"
    fresh = str(uuid.uuid4())
    if not path.exists():
        with suppress(OSError):  # where nothing can be written, nothing is pinned
            home.mkdir(exist_ok=True)
            with locked(home / "uuid.lock"):
                if not path.exists():
                    write_atomically(path, fresh.encode(), sync=True)
    name = path.read_text(errors="replace") if path.exists() else fresh
    if not name.replace("-", "").isalnum():
        hint = "remove the file: pins are then made again under a new name"
        raise StoreError(f"{path} is damaged", hint=hint)
    return name
