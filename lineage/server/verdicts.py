"""Verdicts that come over HTTP, in the name of whoever asks."""

from typing import TYPE_CHECKING

from lineage.errors import Conflict, NotAllowed
from lineage.keys.signer import unsigned_allowed
from lineage.loop.reviews.deciding import Word, decide
from lineage.loop.reviews.standing import Reviews

if TYPE_CHECKING:
    from lineage.loop.reviews.standing import Decision
    from lineage.registry import Registry
    from lineage.server.access import Principal


def give(
    registry: "Registry",
    who: "Principal",
    subject: str,
    verdict: Word,
    *,
    note: str = "",
    packet: str | None = None,
) -> "Decision":
    """Record the verdict of `who` on the commit that `subject` means.

    `packet` is the hash of what they were shown, where that was a packet.

    Raises:
        Conflict: when something else is asked about by now.
        NotAllowed: where verdicts are signed: the server has nobody's key but its own.
        And what `decide` raises.
    """
    check_can_judge(registry)
    if packet:
        reviews = Reviews.read(registry)
        ballot = reviews.ballots.get(reviews.find(registry, subject))
        asked = ballot.packet["sha256"] if ballot and ballot.packet else None
        if asked != packet:
            hint = "look at it again, and decide then"
            raise Conflict("what was shown is not what is asked about now", hint=hint)
    with registry.acting(who.actor):
        return decide(registry, subject, verdict, note, **who.circumstances)


def check_can_judge(registry: "Registry") -> None:
    """Refuse a verdict that would be signed with the server's key, or by nobody.

    Raises:
        NotAllowed: where verdicts are signed.
    """
    signer = registry.signer
    needed = signer.keys().root is not None and not unsigned_allowed(registry)
    if needed or signer.path() is not None:
        hint = "`lineage review approve` or `reject`, in a clone, signs with yours"
        message = "verdicts are signed in this registry, each with its reviewer's key"
        raise NotAllowed(message, hint=hint)
