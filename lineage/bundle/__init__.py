"""The bundle: a report with all that it rests on, for somebody who trusts nobody.

A bag (RFC 8493) in a zip file that git, OpenSSH, OpenSSL and coreutils can check.
docs/bundle.md has the format; ``verify.sh``, beside this, checks it. What `lineage
verify FILE.zip` does is written anew elsewhere, and knows nothing of this package.
"""

from pathlib import Path

from lineage.bundle.again import again
from lineage.bundle.export import AGENT, LEVELS, Bundled, export

__all__ = ["AGENT", "LEVELS", "SCRIPT", "Bundled", "again", "export"]

SCRIPT = Path(__file__).with_name("verify.sh")
