"""A small HTTP server for webhooks, bounded in time, size and threads. TLS is the business of the proxy before it.

It answers one request a connection, and writes nothing of it down.
"""

import io
import re
import socket
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler
from socketserver import TCPServer
from threading import BoundedSemaphore
from typing import Final

from remediation.gateways.stripe_events import MAX_BODY_BYTES
from remediation.webhooks.hints import Answer

PATH: Final = "/stripe"
SIGNATURE_HEADER: Final = "Stripe-Signature"
MAX_HEAD_BYTES: Final = 32 * 1024
"""Stripe's heads have one kilobyte; a proxy may add another."""

_LENGTH: Final = re.compile(r"[0-9]{1,12}")

Take = Callable[[bytes, str], Answer]
"""What answers a request, given its body and its signature."""


@dataclass(frozen=True, slots=True)
class Bounds:
    """How much is borne: seconds for a whole request to come in, and requests that are worked on at once."""

    patience_s: float = 10.0
    threads: int = 8


class Listener(TCPServer):
    """Listens on `host` and `port`, 0 for any that is free; `serve_forever` serves until `shutdown` in another thread.

    `take` answers webhooks, in several threads; `note` gets a line for the operator
    now and then, never a part of a request; `clock_s` only measures durations.

    Raises:
      OSError: Nothing can be listened to there.
    """

    allow_reuse_address = True
    request_queue_size = 64

    def __init__(  # noqa: PLR0913 - where, what with, and within which bounds
        self,
        host: str,
        port: int,
        take: Take,
        *,
        note: Callable[[str], None],
        clock_s: Callable[[], float],
        bounds: Bounds = Bounds(),
    ) -> None:
        self.take = take
        self.note = note
        self.clock_s = clock_s
        self.bounds = bounds
        # Always the same threads, so that each keeps its connection to the provider.
        self._workers = ThreadPoolExecutor(bounds.threads, thread_name_prefix="webhook")
        self._room = BoundedSemaphore(bounds.threads)
        self.address_family = socket.AF_INET6 if ":" in host else socket.AF_INET
        super().__init__((host, port), _Handler)  # closes itself again where nothing can be listened to

    @property
    def url(self) -> str:
        """Where to send webhooks to."""
        host, port = self.server_address[:2]
        named = f"[{host!s}]" if self.address_family is socket.AF_INET6 else str(host)
        return f"http://{named}:{port}{PATH}"

    def process_request(self, request: socket.socket | tuple[bytes, socket.socket], client_address: object) -> None:
        """Hands the connection to a thread. While all are at work, others wait in the system's queue."""
        self._room.acquire()
        self._workers.submit(self._work, request, client_address)

    def _work(self, request: socket.socket | tuple[bytes, socket.socket], client_address: object) -> None:
        try:
            self.finish_request(request, client_address)
        except ConnectionError:
            pass  # The other side has gone; it will deliver again.
        except Exception as error:  # noqa: BLE001 - the outermost frame of this thread
            self.note(f"a webhook could not be answered ({type(error).__name__}); it will be delivered again")
        finally:
            self.shutdown_request(request)
            self._room.release()

    def server_close(self) -> None:
        """Stops listening, and brings what has come in to its end."""
        super().server_close()
        self._workers.shutdown()


class _Bounded(io.RawIOBase):
    """What a connection sends, up to so many bytes and until a moment of the server's clock."""

    def __init__(
        self, connection: socket.socket, bytes_left: int, until_s: float, clock_s: Callable[[], float]
    ) -> None:
        self._connection = connection
        self._left = bytes_left
        self._until_s = until_s
        self._clock_s = clock_s

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]  # the reader before it gives only these
        remaining_s = self._until_s - self._clock_s()
        if remaining_s <= 0:
            raise TimeoutError
        self._connection.settimeout(remaining_s)
        count = self._connection.recv_into(buffer, min(len(buffer), self._left)) if self._left else 0
        self._left -= count
        return count


class _Handler(BaseHTTPRequestHandler):
    server: Listener
    wbufsize = -1  # an answer leaves in one piece
    default_request_version = "HTTP/1.0"  # whoever names no version is refused with a status, too

    def setup(self) -> None:
        super().setup()
        self.rfile.close()
        until_s = self.server.clock_s() + self.server.bounds.patience_s
        most = MAX_HEAD_BYTES + MAX_BODY_BYTES
        self.rfile = io.BufferedReader(_Bounded(self.connection, most, until_s, self.server.clock_s))

    def do_POST(self) -> None:
        refusal = self._refusal()
        if refusal:
            self._refuse(refusal)
            return
        length = int(self.headers["Content-Length"])
        body = self.rfile.read(length)
        if len(body) < length:
            self._refuse(HTTPStatus.BAD_REQUEST)
            return
        answer = self.server.take(body, self.headers.get(SIGNATURE_HEADER, ""))
        if answer.note:
            self.server.note(answer.note)
        self._answer(answer.status)

    def _refusal(self) -> HTTPStatus | None:
        if self.path != PATH:
            return HTTPStatus.NOT_FOUND
        lengths = self.headers.get_all("Content-Length", [])
        if not lengths or "Transfer-Encoding" in self.headers:
            return HTTPStatus.LENGTH_REQUIRED
        if len(lengths) > 1 or not _LENGTH.fullmatch(lengths[0]):
            return HTTPStatus.BAD_REQUEST
        return HTTPStatus.REQUEST_ENTITY_TOO_LARGE if int(lengths[0]) > MAX_BODY_BYTES else None

    def _answer(self, status: HTTPStatus) -> None:
        self.send_response_only(status)
        if status is HTTPStatus.METHOD_NOT_ALLOWED:
            self.send_header("Allow", "POST")
        self.send_header("Content-Length", "0")
        self.end_headers()
        self.wfile.flush()

    def _refuse(self, status: HTTPStatus) -> None:
        self._answer(status)
        with suppress(OSError):
            # A connection that is closed with something unread takes its answer back.
            self.connection.shutdown(socket.SHUT_WR)
            while self.rfile.read(io.DEFAULT_BUFFER_SIZE):
                pass

    def send_error(self, code: int, message: str | None = None, explain: str | None = None) -> None:  # noqa: ARG002
        """Refuses without a word: the library's own text would repeat what came."""
        if code == HTTPStatus.NOT_IMPLEMENTED:  # its word for every method but the one above
            code = HTTPStatus.METHOD_NOT_ALLOWED if self.path == PATH else HTTPStatus.NOT_FOUND
        self._refuse(HTTPStatus(code))

    def log_message(self, format: str, *arguments: object) -> None:  # noqa: A002 - the library's name
        """Says nothing: a request may hold anything."""
