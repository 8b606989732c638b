"""A small web server on this machine, with faults on demand; nothing else can be reached."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from forecast.data.sources.http import Limits

Answer = Callable[[BaseHTTPRequestHandler], None]


def plain(body: bytes | str, status: int = 200, **headers: str) -> Answer:
    """Answer with a body and headers; ``_`` in their names stands for ``-``."""
    content = body.encode() if isinstance(body, str) else body

    def answer(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(status)
        told = {name.replace("_", "-"): value for name, value in headers.items()}
        for name, value in {"Content-Length": str(len(content)), **told}.items():
            handler.send_header(name, value)
        handler.end_headers()
        handler.wfile.write(content)

    return answer


@dataclass
class Server:
    """Answers by path; a list of answers is worked through, its last one repeated."""

    url: str
    answers: dict[str, Answer | list[Answer]] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)
    stopped: threading.Event = field(default_factory=threading.Event)

    def answer(self, handler: BaseHTTPRequestHandler) -> None:
        self.asked.append(handler.path)
        self.headers.append(dict(handler.headers))
        found = self.answers.get(handler.path, plain("not here", 404))
        if isinstance(found, list):
            found = found.pop(0) if len(found) > 1 else found[0]
        found(handler)


@pytest.fixture
def server() -> Iterator[Server]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            self.close_connection = True
            # The other side may give up, as some of these tests want.
            with suppress(BrokenPipeError, ConnectionResetError):
                made.answer(self)

        def log_message(self, *_: Any) -> None:
            pass

    class Web(ThreadingHTTPServer):
        daemon_threads = True
        block_on_close = False

    web = Web(("127.0.0.1", 0), Handler)
    made = Server(f"http://127.0.0.1:{web.server_address[1]}")
    thread = threading.Thread(target=web.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    yield made
    made.stopped.set()
    web.shutdown()
    web.server_close()
    thread.join()


@pytest.fixture(autouse=True)
def nowhere_else(monkeypatch: pytest.MonkeyPatch) -> None:
    """Refuse every address but this machine's."""
    look_up = socket.getaddrinfo

    def guarded(host: Any, *rest: Any, **more: Any) -> Any:
        assert host in ("127.0.0.1", "localhost"), f"a test asks for {host}"
        return look_up(host, *rest, **more)

    monkeypatch.setattr(socket, "getaddrinfo", guarded)
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def brief() -> Limits:
    """Limits for tests: short, with three attempts."""
    return Limits(
        connect=2, read=2, total=8, attempts=3, pause=0.01, longest_pause=0.5, size=200_000
    )
