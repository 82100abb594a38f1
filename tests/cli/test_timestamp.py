"""`lineage timestamp`, with a real authority behind HTTP."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest
from inline_snapshot import snapshot

from tests import tsa as authority

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from lineage.registry import Registry
    from tests.tsa import Tsa

    Transcript = Callable[..., str]


@pytest.fixture(scope="session")
def tsa(tmp_path_factory: pytest.TempPathFactory) -> Tsa:
    return authority.make(tmp_path_factory.mktemp("authority") / "tsa")


def test_a_stamp_is_asked_for_listed_and_verified(
    repo: Registry, tsa: Tsa, transcript: Transcript, tmp_path: Path
) -> None:
    """By a service or by hand; certificates are those of an option or a setting."""
    (tmp_path / "ca.pem").write_bytes(tsa.root.read_bytes())
    with authority.served(tsa.reply) as url:
        repo.settings.set("tsa.url", url)
        shown = transcript(
            "timestamp",
            "timestamp --tsa",
            "config tsa.ca ../ca.pem",
            "timestamp --tsa",
            "timestamp",
            "verify",
        )
    assert re.sub(r"by \d[-\dT:]*Z", "by TIME", shown) == snapshot("""\
$ lineage timestamp
2> there are no time stamps
$ lineage timestamp --tsa
aaaaaaaaaaaa…
2> bbbbbbbbbbbb was there by TIME, says Test TSA
2> note: nobody checked whose the time stamp is: --tsa-ca FILE does
$ lineage config tsa.ca ../ca.pem
$ lineage timestamp --tsa
cccccccccccc…
2> aaaaaaaaaaaa was there by TIME, says Test TSA
$ lineage timestamp
time              event     tsa       recorded by  in
2026-01-02 03:04  bbbbbbbb  Test TSA  Ada Example  aaaaaaaa
2026-01-02 03:04  aaaaaaaa  Test TSA  Ada Example  cccccccc
$ lineage verify
2> aaaaaaaaaaaa and what came before it was there by TIME, says Test TSA
2> 0 commits checked: all as recorded
""")


def test_what_goes_wrong_is_said(repo: Registry, transcript: Transcript) -> None:
    """No service, no reply, no file: one sentence each, nothing is recorded."""
    tip = repo.events_log.tip()
    (repo.root / "empty.tsr").write_bytes(b"")
    assert transcript(
        "timestamp --tsa",
        "timestamp --tsa ftp://example.com",
        "timestamp --reply nowhere.tsr",
        "timestamp --reply empty.tsr",
        "timestamp --reply empty.tsr --tsa",
        "timestamp --query nowhere/now.tsq",
        "timestamp --tsa http://127.0.0.1:9",
        "timestamp --tsa-ca empty.tsr",
        "verify --tsa-ca nowhere.pem",
        "verify --tsa-ca empty.tsr",
        "verify HEAD --tsa-ca empty.tsr",
    ) == snapshot("""\
$ lineage timestamp --tsa
2> error: no time stamping service is named
2> hint: --tsa URL, or `lineage config tsa.url URL`
exit 2
$ lineage timestamp --tsa ftp://example.com
2> error: 'ftp://example.com' is no address of http or https
2> hint: give the address of a time stamping service: https://…
exit 2
$ lineage timestamp --reply nowhere.tsr
2> error: nowhere.tsr cannot be read: No such file or directory
exit 1
$ lineage timestamp --reply empty.tsr
2> error: that is no time stamp
2> hint: give the reply of a TSA, as `openssl ts -reply` writes it: a .tsr file
exit 2
$ lineage timestamp --reply empty.tsr --tsa
2> error: give one of --tsa, --query and --reply
2> hint: --query first, --reply with what came back; --tsa does both
exit 2
$ lineage timestamp --query nowhere/now.tsq
2> error: there is no folder nowhere to write the query to
exit 1
$ lineage timestamp --tsa http://127.0.0.1:9
2> error: http://127.0.0.1:9 gave no time stamp: Connection refused
2> hint: --query FILE and --reply FILE take it there by hand
exit 1
$ lineage timestamp --tsa-ca empty.tsr
2> error: --tsa-ca goes with --tsa and --reply
2> hint: to check those that there are: `lineage verify --tsa-ca FILE`
exit 2
$ lineage verify --tsa-ca nowhere.pem
2> error: invalid value for '--tsa-ca': File 'nowhere.pem' does not exist
2> hint: see `lineage verify --help`
exit 2
$ lineage verify --tsa-ca empty.tsr
2> error: that is no file of certificates
2> hint: give the TSA's root certificate in PEM, as its operator publishes it
exit 2
$ lineage verify HEAD --tsa-ca empty.tsr
2> error: time stamps are of the log, not of commits
2> hint: name no REVSET: `lineage verify --tsa-ca FILE`
exit 2
""")
    assert repo.events_log.tip() == tip
