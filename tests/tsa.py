"""A real time stamping authority: OpenSSL's, with certificates of its own."""

from __future__ import annotations

import subprocess
import threading
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import TYPE_CHECKING

from tests.tools import skip_without

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

CONFIG = """\
[req]
distinguished_name = dn
prompt = no
[dn]
CN = Test TSA Root
[v3_ca]
basicConstraints = critical,CA:TRUE
keyUsage = critical,keyCertSign,cRLSign
subjectKeyIdentifier = hash
[v3_tsa]
basicConstraints = critical,CA:FALSE
keyUsage = critical,digitalSignature
extendedKeyUsage = critical,timeStamping
subjectKeyIdentifier = hash
authorityKeyIdentifier = keyid
[tsa]
default_tsa = t
[t]
serial = serial
crypto_device = builtin
signer_cert = tsa.pem
signer_key = tsa.key
signer_digest = sha256
default_policy = 1.2.3.4.1
digests = sha256,sha512
accuracy = secs:1
ordering = yes
tsa_name = yes
ess_cert_id_chain = no
ess_cert_id_alg = sha256
"""
_EC = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes")


@dataclass(frozen=True)
class Tsa:
    """An authority in a folder; `root` is the certificate that its clients trust."""

    folder: Path

    @property
    def root(self) -> Path:
        return self.folder / "ca.pem"

    def reply(self, query: bytes) -> bytes:
        """The reply to a query, as ``openssl ts -reply`` makes it."""
        (self.folder / "q.tsq").write_bytes(query)
        self._run("ts", "-reply", "-config", "ca.cnf", "-queryfile", "q.tsq",
                  "-out", "r.tsr")  # fmt: skip
        return (self.folder / "r.tsr").read_bytes()

    def stamp(self, digest: str) -> bytes:
        """A reply for a SHA-256, asked by OpenSSL itself."""
        self._run("ts", "-query", "-digest", digest, "-sha256", "-cert",
                  "-out", "own.tsq")  # fmt: skip
        return self.reply((self.folder / "own.tsq").read_bytes())

    def accepts(self, reply: bytes, digest: str) -> bool:
        """Whether ``openssl ts -verify`` takes a reply for a SHA-256."""
        (self.folder / "v.tsr").write_bytes(reply)
        words = (
            "ts",
            "-verify",
            "-digest",
            digest,
            "-in",
            "v.tsr",
            "-CAfile",
            "ca.pem",
        )
        return self._run(*words, check=False) == 0

    def _run(self, *words: str, check: bool = True) -> int:
        done = subprocess.run(
            ["openssl", *words], cwd=self.folder, capture_output=True, check=check
        )
        return done.returncode


def make(folder: Path) -> Tsa:
    """Make an authority: a root certificate, and one for its signatures."""
    skip_without("openssl")
    folder.mkdir()
    (folder / "ca.cnf").write_text(CONFIG, encoding="utf-8")
    (folder / "serial").write_text("01\n", encoding="utf-8")
    tsa = Tsa(folder)
    tsa._run("req", "-x509", *_EC, "-keyout", "ca.key", "-out", "ca.pem", "-days", "30",
             "-config", "ca.cnf", "-extensions", "v3_ca")  # fmt: skip
    tsa._run("req", "-new", *_EC, "-keyout", "tsa.key", "-out", "tsa.csr",
             "-config", "ca.cnf", "-subj", "/CN=Test TSA")  # fmt: skip
    tsa._run("x509", "-req", "-in", "tsa.csr", "-CA", "ca.pem", "-CAkey", "ca.key",
             "-CAcreateserial", "-out", "tsa.pem", "-days", "30",
             "-extfile", "ca.cnf", "-extensions", "v3_tsa")  # fmt: skip
    return tsa


@contextmanager
def served(answer: Callable[[bytes], bytes], status: int = 200) -> Iterator[str]:
    """Answer queries over HTTP for a while; the service's URL."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            length = int(self.headers["Content-Length"])
            assert self.headers["Content-Type"] == "application/timestamp-query"
            data = answer(self.rfile.read(length))
            self.send_response(status)
            self.send_header("Content-Type", "application/timestamp-reply")
            self.end_headers()
            self.wfile.write(data)

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}/tsa"
        finally:
            server.shutdown()
            thread.join()
