"""A warehouse that takes orders over HTTP, in this process; it can be made to answer in any way, or not at all."""

import contextlib
import json
import ssl
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Final

from remediation.gateways.signatures import Secret, verify

SECRET: Final = Secret(b"0123456789abcdef01234567")
NOON: Final = 1_800_000_000_000


@dataclass(frozen=True, slots=True)
class Request:
    """What came in."""

    path: str
    headers: Mapping[str, str]
    body: bytes


Behaviour = Callable[["Exchange"], None]


@dataclass
class Warehouse:
    """Keeps one order an id, as the contract asks. It behaves as `behaviours` say, one a request, and then as usual."""

    behaviours: list[Behaviour]
    port: int = 0
    secrets: tuple[Secret, ...] = (SECRET,)
    clock: Callable[[], int] = lambda: NOON
    requests: list[Request] = field(default_factory=list)
    orders: dict[str, object] = field(default_factory=dict)
    leaving: threading.Event = field(default_factory=threading.Event)

    def take(self, request: Request) -> str:
        """The reference of an order, new or repeated.

        Raises:
          SignatureError: It was not signed by us.
        """
        key = verify(request.headers, request.body, self.secrets, self.clock())
        self.orders.setdefault(key, json.loads(request.body)["data"])
        return f"W-{list(self.orders).index(key) + 1}"


class Exchange(BaseHTTPRequestHandler):
    """One request, to be answered by a behaviour."""

    protocol_version = "HTTP/1.1"
    warehouse: Warehouse

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.request_in = Request(self.path, dict(self.headers), body)
        self.warehouse.requests.append(self.request_in)
        behaviour = self.warehouse.behaviours.pop(0) if self.warehouse.behaviours else usual
        self.close_connection = True
        with contextlib.suppress(OSError):
            behaviour(self)

    def answer(self, status: int, body: bytes = b"", **headers: str) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *arguments: object) -> None:  # noqa: A002 - the library's name
        """Says nothing."""


def usual(exchange: Exchange) -> None:
    """Takes the order and says under which reference."""
    exchange.answer(200, json.dumps({"reference": exchange.warehouse.take(exchange.request_in)}).encode())


def saying(status: int, body: bytes = b"", **headers: str) -> Behaviour:
    """Answers so, without taking the order unless that is what the status says."""

    def behave(exchange: Exchange) -> None:
        if status // 100 == 2:
            exchange.warehouse.take(exchange.request_in)
        exchange.answer(status, body, **headers)

    return behave


def lost(exchange: Exchange) -> None:
    """Takes the order, and the connection breaks before the answer."""
    exchange.warehouse.take(exchange.request_in)


def slow(exchange: Exchange) -> None:
    """Takes the order, and answers after the other side has given up."""
    exchange.warehouse.take(exchange.request_in)
    exchange.warehouse.leaving.wait(5)


@contextmanager
def warehouse(*behaviours: Behaviour, context: ssl.SSLContext | None = None) -> Iterator[Warehouse]:
    """A listening warehouse, over TLS where there is a context."""
    house = Warehouse(list(behaviours))
    server = ThreadingHTTPServer(("127.0.0.1", 0), type("Ours", (Exchange,), {"warehouse": house}))
    server.daemon_threads = False
    if context:
        server.socket = context.wrap_socket(server.socket, server_side=True)
    house.port = server.server_port
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.005})
    thread.start()
    try:
        yield house
    finally:
        house.leaving.set()
        server.shutdown()
        thread.join()
        server.server_close()
