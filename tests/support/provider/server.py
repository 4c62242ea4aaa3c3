"""The provider behind HTTP on 127.0.0.1. Broken connections and late answers are real ones."""

import json
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Final
from urllib.parse import parse_qsl, urlsplit

from tests.support.provider import control
from tests.support.provider.core import Provider
from tests.support.provider.model import Answer, Fate, Request

PATIENCE_S: Final = 5
"""How long a late answer waits for its reader to hang up; a reader who waits longer gets it, and its test fails."""


class ProviderServer(ThreadingHTTPServer):
    """Serves one provider; port 0 lets the system choose."""

    daemon_threads = True

    def __init__(self, provider: Provider, port: int) -> None:
        super().__init__(("127.0.0.1", port), _Handler)
        self.provider = provider


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    wbufsize = -1  # head and body leave in one piece: in two, each answer would wait for the reader's delayed receipt
    server: ProviderServer

    def do_GET(self) -> None:
        self._respond(parse_qsl(urlsplit(self.path).query))

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0))).decode()
        if self.path.startswith(control.PATH):
            done = control.perform(self.server.provider, self.path.removeprefix(control.PATH), json.loads(body))
            self._send(Answer(HTTPStatus.OK, json.dumps(done).encode()))
        else:
            self._respond(parse_qsl(body))

    def _respond(self, params: list[tuple[str, str]]) -> None:
        request = Request(
            self.command,
            urlsplit(self.path).path,
            dict(params),
            self.headers.get("Idempotency-Key"),
            self.headers.get("Authorization", "").removeprefix("Bearer "),
        )
        answer = self.server.provider.answer(request)
        match answer.fate:
            case Fate.ARRIVES:
                self._send(answer)
            case Fate.LATE:
                self._send_late(answer)
            case Fate.LOST:
                self.close_connection = True

    def _send(self, answer: Answer) -> None:
        self.send_response(answer.status)
        for name, value in {"Content-Type": "application/json", **answer.headers}.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(answer.body)))
        self.end_headers()
        self.wfile.write(answer.body)

    def _send_late(self, answer: Answer) -> None:
        """Answers when nobody waits any more: when the reader has gone, or after more time than a test should give."""
        self.close_connection = True
        self.connection.settimeout(PATIENCE_S)
        try:
            self.connection.recv(1)
        except TimeoutError:
            self._send(answer)
        except ConnectionError:
            pass  # The reader has gone without a word, which is as good.

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name that http.server gives it
        """Says nothing."""
