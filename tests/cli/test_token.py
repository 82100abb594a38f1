"""`lineage token`: made, listed, revoked."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from inline_snapshot import snapshot

if TYPE_CHECKING:
    from collections.abc import Callable

    from lineage.registry import Registry

    Transcript = Callable[..., str]


def test_a_token_is_told_once(repo: Registry, transcript: Transcript) -> None:
    """What is made is printed once, listed without its secret, and ended by its id."""
    del repo
    said = transcript(
        "token list",
        "token create CI --email ci@example.com --scope write --expires 2999-12-31",
        "token list",
        "token create x --expires 2001-01-01",
        "token revoke ffff",
    )
    assert re.sub(r"lin_[\w-]{43}", "lin_…", said) == snapshot("""\
$ lineage token list
2> there are no tokens: only this machine is served
$ lineage token create CI --email ci@example.com --scope write --expires 2999-12-31
lin_…
2> aaaaaaaaaaaa is CI's, to write; it is told only now
$ lineage token list
id            name  email           scopes  state   expires     used
aaaaaaaaaaaa  CI    ci@example.com  write   active  2999-12-31
$ lineage token create x --expires 2001-01-01
2> error: 2001-01-01 has passed
2> hint: name a later day
exit 2
$ lineage token revoke ffff
2> error: there is no token ffff
2> hint: `lineage token list` lists them; 4 digits of an id are enough
exit 5
""")


def test_a_revoked_token_stays_in_the_list(repo: Registry, run: Any) -> None:
    """A program reads what became of each token, and never a secret."""
    del repo
    secret = run("token", "create").stdout.strip()
    [made] = run("token", "list", "--format", "json").json()["tokens"]
    assert (made["name"], made["scopes"], made["state"]) == (
        "Ada Example",
        ["read"],
        "active",
    )
    done = run("token", "revoke", made["id"][:4])
    assert (done.exit_code, done.stdout) == (0, "")
    listed = run("token", "list", "--format", "json").stdout
    assert '"state": "revoked"' in listed
    assert secret not in listed
