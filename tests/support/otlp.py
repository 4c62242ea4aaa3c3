"""A receiver of OpenTelemetry's protocol in this process: protobuf over HTTP, read by the protocol's own messages."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Self

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Span


@dataclass(frozen=True)
class Received:
    """One span as it came over the wire."""

    name: str
    span_id: str
    parent: str | None
    fields: dict[str, str]
    status: str

    @classmethod
    def of(cls, span: Span) -> Self:
        fields = {
            each.key.removeprefix("makegood."): each.value.string_value or str(each.value.int_value)
            for each in span.attributes
        }
        parent = span.parent_span_id.hex() or None
        return cls(span.name, span.span_id.hex(), parent, fields, span.status.message)


@dataclass
class Receiver:
    """What has been received, whole and span by span."""

    url: str = ""
    bodies: list[bytes] = field(default_factory=list)
    paths: set[str] = field(default_factory=set)

    @property
    def text(self) -> str:
        """All that came, as a person could read it."""
        return "\n".join(body.decode("utf-8", "replace") for body in self.bodies)

    @property
    def spans(self) -> list[Received]:
        """All spans, in the order in which they ended."""
        return [
            Received.of(span)
            for body in self.bodies
            for resource in ExportTraceServiceRequest.FromString(body).resource_spans
            for scope in resource.scope_spans
            for span in scope.spans
        ]


@contextmanager
def receiver() -> Iterator[Receiver]:
    """Takes whatever comes for as long as the context lasts."""
    got = Receiver()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            got.paths.add(self.path)
            got.bodies.append(self.rfile.read(int(self.headers["Content-Length"])))
            self.send_response(200)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Says nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        got.url = f"http://127.0.0.1:{server.server_port}"
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        try:
            yield got
        finally:
            server.shutdown()
            thread.join()
