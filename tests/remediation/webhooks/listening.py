"""A listener in this process, requests to it byte by byte, and webhooks as Stripe signs them."""

import json
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from remediation.webhooks.hints import Answer
from remediation.webhooks.listener import PATH, Bounds, Listener
from tests.remediation.ledger.evenings import MORNING
from tests.support.provider.model import Delivery
from tests.support.provider.webhooks import signature

SECRET = "whsec_today_is_a_good_day"  # noqa: S105 - it opens nothing
HOST = "127.0.0.1"
USUAL = Bounds()
PATIENCE_S = 5
"""How long a test waits for an answer before it fails."""


@contextmanager
def listening(
    take: Callable[[bytes, str], Answer],
    *,
    notes: list[str] | None = None,
    clock_s: Callable[[], float] = time.monotonic,
    bounds: Bounds = USUAL,
) -> Iterator[Listener]:
    """Serves on a free port until the end of the context, and has then answered everything."""
    said: list[str] = [] if notes is None else notes
    with Listener(HOST, 0, take, note=said.append, clock_s=clock_s, bounds=bounds) as listener:
        thread = threading.Thread(target=listener.serve_forever, kwargs={"poll_interval": 0.005})
        thread.start()
        try:
            yield listener
        finally:
            listener.shutdown()
            thread.join()


def connected(listener: Listener) -> socket.socket:
    return socket.create_connection((HOST, int(listener.server_address[1])), timeout=PATIENCE_S)


def answer_to(listener: Listener, request: bytes) -> tuple[int, bytes]:
    """The status and everything else that came back; 0 where the connection was closed without an answer."""
    with connected(listener) as connection:
        connection.sendall(request)
        return answered(connection)


def answered(connection: socket.socket) -> tuple[int, bytes]:
    came = b""
    while part := connection.recv(65_536):
        came += part
    return (int(came.split(b" ", 2)[1]), came) if came else (0, b"")


def a_post(body: bytes = b"{}", *headers: str, path: str = PATH, method: str = "POST") -> bytes:
    """A request as a proxy would send it; the length is that of the body unless a header says otherwise."""
    named = headers if any("length" in each.lower() for each in headers) else (*headers, f"Content-Length: {len(body)}")
    head = "\r\n".join([f"{method} {path} HTTP/1.1", "Host: makegood", *named])
    return f"{head}\r\n\r\n".encode() + body


def a_webhook(kind: str = "refund.updated", **members: object) -> Delivery:
    """An event of Stripe's about a refund that is none of ours unless the members say otherwise; signed just now."""
    subject = {"object": "refund", "id": "re_elsewhere", "charge": "ch_elsewhere", "metadata": {}} | members
    body = json.dumps({"id": "evt_1", "object": "event", "type": kind, "data": {"object": subject}}).encode()
    return Delivery(body, signature(SECRET, MORNING // 1000, body))
