"""Tokens that the user has written down, where git and curl look too: ``~/.netrc``.

``machine HOST login lineage password lin_…``
"""

from pathlib import Path

from lineage.errors import StoreError
from lineage.protocol import BEARER


def stored_token(host: str) -> str | None:
    """The token for a host, if the file has one.

    Raises:
        StoreError: when the file cannot be read, or others may read it.
    """
    from netrc import NetrcParseError, netrc

    path = Path("~/.netrc").expanduser()
    try:
        found = netrc(path).authenticators(host)
        mode = path.stat().st_mode
    except (FileNotFoundError, NotADirectoryError):
        return None
    except (OSError, NetrcParseError) as error:
        raise StoreError(f"{path} cannot be read: {error}") from None
    if found and found[2] and mode & 0o077:
        hint = f"chmod 600 {path}"
        raise StoreError(f"others may read the token in {path}", hint=hint)
    token = found[2] if found else None
    return token if token and token.startswith(BEARER) else None  # no other secret
