"""Running servers: sockets, processes, and a stop that lets answers end."""

import os
import signal
import socket
import sys
from collections.abc import Mapping
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field
from importlib import import_module
from multiprocessing import parent_process
from pathlib import Path
from threading import Thread

import uvicorn
from uvicorn.supervisors import Multiprocess

import lineage
from lineage.errors import NotAllowed, StoreError
from lineage.server.app import create_app
from lineage.server.asgi import App
from lineage.server.peers import is_loopback, networks
from lineage.server.settings import Settings
from lineage.server.several import Several, check_name
from lineage.server.tokens import Tokens
from lineage.server.wire import Connection

_LATER = (  # modules that take long, and that `lineage` imports when it uses them
    "store.index_query",
    "store.index_near",
    "revset",
    "scope",
    "shapes.trace",
    "descent.trace",
    "taints.marks",
    "keys.judge",
)
_STOP_SECONDS = 10  # for answers that are on their way, streams among them
_QUEUE = 2048  # connections that nobody has taken yet


@dataclass(frozen=True)
class Served:
    """What a server serves: registries by name, or one that has the name ``""``.

    Raises:
        UsageError: for a name or a setting that cannot be.
    """

    registries: Mapping[str, Path]
    settings: Settings = field(default_factory=Settings)

    def __post_init__(self) -> None:
        networks(self.settings.proxies)
        for name in self.registries:
            if len(self.registries) > 1 or name:
                check_name(name)

    def __call__(self) -> App:
        """Make the application, in the process that will run it."""
        apps = {n: create_app(p, self.settings) for n, p in self.registries.items()}
        for work in (_warm, _end_with_parent):
            Thread(target=work, daemon=True).start()
        return apps[""] if "" in apps else Several(apps)

    def check_host(self, host: str) -> None:
        """Other machines are served where everybody has to say who they are.

        Raises:
            NotAllowed: when `host` is not this machine and a registry has no token.
        """
        if is_loopback(host) or self.settings.proxies:
            return
        for root in self.registries.values():
            with lineage.open(root) as registry:
                if not Tokens(registry.home):
                    hint = f"`lineage -C {root} token create` makes one"
                    message = f"other machines are served once {root} has a token"
                    raise NotAllowed(message, hint=hint)


def _end_with_parent() -> None:
    """End a worker whose parent was killed: nobody else would, and it has the port."""
    if (parent := parent_process()) is not None:
        parent.join()
        os.kill(os.getpid(), signal.SIGTERM)


def _warm() -> None:
    """Import what the first answers need, while the server begins to listen."""
    for name in _LATER:
        import_module(f"lineage.{name}")


def configured(served: Served, workers: int = 1) -> uvicorn.Config:
    """How uvicorn runs what is served."""
    return uvicorn.Config(
        served,
        factory=True,
        http=Connection,
        ws="none",
        workers=workers,
        log_config=None,
        log_level="error",
        access_log=False,
        proxy_headers=False,  # `peers` says whom to believe
        server_header=False,
        limit_concurrency=served.settings.limits.connections,
        timeout_graceful_shutdown=_STOP_SECONDS,
    )


def listen(host: str, port: int) -> socket.socket:
    """A socket that takes connections for `host` and `port` (0: any that is free).

    Raises:
        StoreError: when the address cannot be had.
    """
    with ExitStack() as failing:
        try:
            family, kind, number, _, address = socket.getaddrinfo(
                host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
            )[0]
            made = failing.enter_context(socket.socket(family, kind, number))
            made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            made.bind(address)
            made.listen(_QUEUE)
        except OSError as error:
            hint = "`--port N` takes another port, `--port 0` any that is free"
            message = f"{host}:{port} cannot be listened at: {error.strerror}"
            raise StoreError(message, hint=hint) from error
        made.set_inheritable(True)
        failing.pop_all()
    return made


def run(served: Served, sock: socket.socket, workers: int = 1) -> None:
    """Serve until a signal says to stop; several `workers` share the socket."""
    config = configured(served, workers)
    if workers > 1:
        Multiprocess(config, sockets=[sock]).run()
        return
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))  # uvicorn raises it again
    with suppress(KeyboardInterrupt):
        uvicorn.Server(config).run(sockets=[sock])
