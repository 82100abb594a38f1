"""Moving payloads to and from a DVC remote, so that nothing is lost unnoticed.

An object is compared with its entry (size, MD5, SHA-256) before it is sent and when
it has arrived, and the other side is asked whether it is there afterwards. A folder's
``.dir`` object follows when all its files are in place. What is there already is not
moved again, so a run that broke off goes on where it was. What is wrong with one
object does not keep the others: the error at the end names each.
"""

from lineage.transfer.fetching import bring, fetch_payloads, receive
from lineage.transfer.moving import Moved
from lineage.transfer.pushing import push_payloads, send
from lineage.transfer.removing import remove

__all__ = [
    "Moved",
    "bring",
    "fetch_payloads",
    "push_payloads",
    "receive",
    "remove",
    "send",
]
