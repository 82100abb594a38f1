"""Time stamps by a real authority: asked for, recorded, verified."""

from __future__ import annotations

import base64
import json
import shlex
import subprocess
from contextlib import closing
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import lineage
from lineage.audit import as_html, as_md
from lineage.audit.report import report
from lineage.errors import (
    LineageError,
    NotFound,
    StoreError,
    UsageError,
    VerificationError,
)
from lineage.store import rfc3161
from lineage.timestamps import TIMESTAMP, ask, query, record, roots_of, stamps
from lineage.verify import verify
from tests import tsa as authority

if TYPE_CHECKING:
    from collections.abc import Callable

    from lineage import Registry
    from tests.tsa import Tsa

    Run = Callable[..., Any]
    Transcript = Callable[..., str]

DIGEST = "ab" * 32


@pytest.fixture(scope="session")
def tsa(tmp_path_factory: pytest.TempPathFactory) -> Tsa:
    return authority.make(tmp_path_factory.mktemp("authority") / "good")


@pytest.fixture(scope="session")
def other(tmp_path_factory: pytest.TempPathFactory) -> Tsa:
    """An authority that nobody trusts."""
    return authority.make(tmp_path_factory.mktemp("authority") / "other")


def test_openssl_and_we_agree_on_query_and_reply(repo: Registry, tsa: Tsa) -> None:
    """Our query gets a reply that openssl verifies by the event's id alone."""
    event, asked, nonce = query(repo, nonce=True)
    assert nonce is not None
    reply = tsa.reply(asked)
    assert tsa.accepts(reply, event)
    assert not tsa.accepts(reply, "0" * 64)
    roots = tsa.root.read_bytes()
    made = record(repo, reply, roots=roots, nonce=nonce)
    assert (made.of, made.tsa) == (event, "Test TSA")
    assert record(repo, reply, roots=roots) == made  # once is enough
    assert stamps(repo) == (made,)
    assert tsa.accepts(made.token, made.of)
    found = verify(repo, roots=roots)
    assert found.problems == []
    assert any(note.startswith(f"{event[:12]} and what came") for note in found.notes)


def test_a_query_of_openssl_itself_is_as_good(repo: Registry, tsa: Tsa) -> None:
    """Whoever has the id of any event, not only the newest, can have it stamped."""
    first = [id_ for id_, _ in repo.events()][-1]
    repo.attest("note")
    made = record(repo, tsa.stamp(first), roots=tsa.root.read_bytes())
    assert made.of == first
    assert verify(repo, roots=tsa.root.read_bytes()).problems == []


def test_what_does_not_hold_is_not_recorded(
    repo: Registry, tsa: Tsa, other: Tsa
) -> None:
    """Another authority, event or query, a refusal, no reply at all."""
    _, asked, nonce = query(repo, nonce=True)
    roots, tip = tsa.root.read_bytes(), repo.events_log.tip()
    reply = tsa.reply(asked)
    with pytest.raises(VerificationError, match="does not hold"):
        record(repo, other.reply(asked), roots=roots)
    with pytest.raises(VerificationError, match="another query than ours"):
        record(repo, reply, roots=roots, nonce=(nonce or 0) + 1)
    with pytest.raises(NotFound, match="is of 000000000000, no event here"):
        record(repo, tsa.stamp("0" * 64), roots=roots)
    refused = tsa.reply(asked[:-3])
    with pytest.raises(UsageError, match="gave no time stamp"):
        record(repo, refused)
    for wrong in (b"", b"<html>", reply[:-9], reply[:40]):
        with pytest.raises(UsageError, match="is no time stamp"):
            record(repo, wrong)
    with pytest.raises(UsageError, match="no file of certificates"):
        record(repo, reply, roots=b"")
    assert repo.events_log.tip() == tip


def test_another_digest_is_no_stamp_of_an_event(repo: Registry, tsa: Tsa) -> None:
    """A reply over SHA-512 says nothing of an event's SHA-256."""
    words = ("ts", "-query", "-digest", "0" * 128, "-sha512", "-cert", "-out", "w.tsq")
    tsa._run(*words)
    with pytest.raises(UsageError, match="another digest than SHA-256"):
        record(repo, tsa.reply((tsa.folder / "w.tsq").read_bytes()))


@pytest.mark.parametrize(
    ("change", "what"),
    [
        ({"of": "PREVIOUS"}, "not of what the event says"),
        ({"time": "2020-01-01T00:00:00.000000Z"}, "another time, or TSA"),
        ({"tsa": "A Better TSA"}, "another time, or TSA"),
        ({"token": "AAAA"}, "that is no time stamp"),
        ({"token": "?"}, "not formed as it should be"),
        ({"token": None}, "not formed as it should be"),
        ({"of": "f" * 64}, "no event before it"),
    ],
)
def test_verify_finds_what_a_stamp_does_not_prove(
    repo: Registry, tsa: Tsa, change: dict[str, Any], what: str
) -> None:
    """Each field of the event is held against the authority's reply."""
    first = [id_ for id_, _ in repo.events()][-1]
    repo.attest("note")
    made = record(repo, tsa.reply(query(repo)[1]))
    [good] = [event for _, event in repo.events() if event.type == TIMESTAMP]
    if change.get("of") == "PREVIOUS":
        change = {"of": first}
    event = repo.attest(TIMESTAMP, data={**good.data, **change})
    problems = verify(repo).problems
    assert {problem.id for problem in problems} == {event}
    assert any(what in problem.what for problem in problems)
    assert made.event != event


def test_a_forged_token_passes_until_certificates_are_given(
    repo: Registry, tsa: Tsa, other: Tsa
) -> None:
    """Without certificates verify says what it did not check; with them it finds it."""
    record(repo, other.reply(query(repo)[1]))
    found = verify(repo)
    assert found.problems == []
    assert "nobody checked whose the time stamps are: --tsa-ca FILE does" in found.notes
    wrong = verify(repo, roots=tsa.root.read_bytes()).problems
    assert ["does not hold" in problem.what for problem in wrong] == [True]


def test_a_clock_that_was_ahead_is_told(
    repo: Registry, tsa: Tsa, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An event that claims a time after its stamp is no problem, but a note."""
    with monkeypatch.context() as patch:
        patch.setattr(
            "lineage.store.events.stamp", lambda _: "2099-01-01T00:00:00.000000Z"
        )
        event = repo.attest("note")
    record(repo, tsa.reply(query(repo)[1]))
    found = verify(repo)
    assert found.problems == []
    told = f"a clock is wrong: {event[:12]} claims a later time than its time stamp"
    assert told in found.notes


@pytest.fixture(scope="session")
def reply(tsa: Tsa) -> bytes:
    return tsa.stamp(DIGEST)


@settings(max_examples=40)
@given(data=st.data())
def test_a_changed_byte_never_passes(
    tsa: Tsa, reply: bytes, data: st.DataObject
) -> None:
    """One byte of a reply changed: it cannot be read, or does not hold."""
    changed = bytearray(reply)
    place = data.draw(st.integers(0, len(reply) - 1))
    changed[place] ^= data.draw(st.integers(1, 255))
    try:
        rfc3161.check(bytes(changed), DIGEST, tsa.root.read_bytes())
    except LineageError:
        return
    assert rfc3161.read(bytes(changed)) == rfc3161.read(reply)  # it is not signed


def test_a_service_is_asked_over_http(repo: Registry, tsa: Tsa) -> None:
    """Query and reply go as RFC 3161, 3.4 says; what is no reply is an error."""
    _, asked, nonce = query(repo, nonce=True)
    with authority.served(tsa.reply) as url:
        record(repo, ask(url, asked), nonce=nonce)
    with (
        authority.served(lambda _: b"no", status=503) as url,
        pytest.raises(StoreError, match="503"),
    ):
        ask(url, asked)
    with (
        authority.served(lambda _: b"x" * 1100000) as url,
        pytest.raises(StoreError, match="does not end"),
    ):
        ask(url, asked)
    with pytest.raises(StoreError, match="gave no time stamp"):
        ask("http://127.0.0.1:9/", asked)
    for wrong in ("file:///etc/passwd", "tsa.example.com", "ftp://x"):
        with pytest.raises(UsageError, match="no address of http"):
            ask(wrong, asked)


def test_the_setting_names_certificates(repo: Registry, tsa: Tsa) -> None:
    """`tsa.ca` is a path, from the registry's folder; one that is not there fails."""
    assert roots_of(repo) is None
    repo.settings.set("tsa.ca", str(tsa.root))
    assert roots_of(repo) == tsa.root.read_bytes()
    repo.settings.set("tsa.ca", "nowhere.pem")
    with pytest.raises(StoreError, match=r"nowhere\.pem cannot be read"):
        roots_of(repo)


def test_without_the_library_verify_says_so(
    repo: Registry, tsa: Tsa, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What cannot be looked at is told; asking for a stamp is one clear error."""
    record(repo, tsa.reply(query(repo)[1]))
    monkeypatch.setitem(__import__("sys").modules, "rfc3161_client", None)
    found = verify(repo)
    assert found.problems == []
    assert (
        "time stamps were not checked: time stamps need rfc3161-client: install it: "
        "pip install 'lineage-vcs[audit]'"
    ) in found.notes
    with pytest.raises(LineageError, match="time stamps need rfc3161-client"):
        query(repo)
    assert len(stamps(repo)) == 1  # what is recorded can be listed


def test_the_token_leaves_by_plain_tools(repo: Registry, tsa: Tsa, run: Run) -> None:
    """JSON, base64 and openssl are enough to check a stamp."""
    asked = repo.root / "now.tsq"
    assert run("timestamp", "--query", asked).exit_code == 0
    (repo.root / "now.tsr").write_bytes(tsa.reply(asked.read_bytes()))
    run("timestamp", "--reply", "now.tsr")
    [one] = json.loads(run("timestamp", "--format", "json").stdout)["timestamps"]
    (repo.root / "t.tsr").write_bytes(base64.b64decode(one["token"]))
    words = f"ts -verify -digest {one['of']} -in t.tsr -CAfile {tsa.root}"
    done = subprocess.run(
        ["openssl", *shlex.split(words)],
        cwd=repo.root,
        capture_output=True,
        check=False,
    )
    assert b"Verification: OK" in done.stdout + done.stderr


def test_a_report_tells_of_time_stamps(repo: Registry, tsa: Tsa) -> None:
    """In the model and for people; as of a time before, there is none."""
    repo.commit("model", "m", params={"x": 1})
    event, asked, _ = query(repo)
    made = record(repo, tsa.reply(asked))
    told = report(repo, "model/m")
    assert [(one.of, one.time, one.tsa) for one in told.stamps] == [
        (event, made.time, "Test TSA")
    ]
    for render in (as_html.render, as_md.render):
        data = render(told)
        page = data if isinstance(data, str) else data.decode()
        assert "Test TSA" in page
        assert event[:8] in page
    with closing(lineage.open(repo.root, at=event)) as then:
        assert report(then, "model/m").stamps == ()
