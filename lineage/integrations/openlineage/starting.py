"""Starting the process that sends OpenLineage events, where any are wanted."""

import subprocess
import sys
from contextlib import suppress
from pathlib import Path

from lineage.store.settings import Settings

URL, FILE = "openlineage.url", "openlineage.file"
_SENDING = "lineage.integrations.openlineage.sending"


def start(root: Path, settings: Settings) -> None:
    """Have another process send what is not sent yet; this one goes on at once.

    Where the settings name no place to send to, nothing is started.
    """
    if not any(settings.get(key) for key in (URL, FILE)):
        return
    nowhere = subprocess.DEVNULL
    with suppress(OSError):  # recording has gone well, whatever becomes of this
        subprocess.run(
            ["sh", "-c", '"$@" &', "sh", sys.executable, "-m", _SENDING, str(root)],
            stdin=nowhere,
            stdout=nowhere,
            stderr=nowhere,
            start_new_session=True,
            check=False,
        )
