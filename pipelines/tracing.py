"""Traces by OpenTelemetry, where OTEL_EXPORTER_OTLP_ENDPOINT says to whom; it is imported only then.

Spans go out over HTTP as protobuf, from a thread of their own. A receiver that is
away costs no night and no refund: what it does not take is lost.
"""

import logging
import os
import sys
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from pipelines.logs import FIELDS
from remediation.spans import Open, Span, Value, traced

if TYPE_CHECKING:
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.trace import Span as OtelSpan
    from opentelemetry.trace import Tracer

ENDPOINTS: Final = ("OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT")
PREFIX: Final = "makegood."
PATIENCE_S: Final = 3.0
"""So long a receiver may take for some spans, their repetitions included: so long a command may wait at its end."""


def tracing() -> AbstractContextManager[None]:
    """Traces what is done within the context, if the environment asks for it."""
    if not any(os.environ.get(name) for name in ENDPOINTS):
        return nullcontext()
    try:
        provider = _provider()
    except ImportError:
        sys.stderr.write("makegood: not traced: install it with its extra `tracing`\n")
        return nullcontext()
    return _traced(provider)


def _provider() -> "TracerProvider":
    from importlib.metadata import version

    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
    from opentelemetry.sdk.resources import Resource
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import BatchSpanProcessor

    logging.getLogger("opentelemetry").setLevel(logging.CRITICAL)  # a receiver that is away is no news worth a trace
    known = {"service.name": os.environ.get("OTEL_SERVICE_NAME", "makegood"), "service.version": version("makegood")}
    provider = TracerProvider(resource=Resource.create(known), shutdown_on_exit=False)
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter(timeout=_patience_s())))
    return provider


@contextmanager
def _traced(provider: "TracerProvider") -> Iterator[None]:
    try:
        with traced(opener(provider.get_tracer("makegood"))):
            yield
    finally:
        provider.shutdown()


def _patience_s() -> float | None:
    """Null where the environment says it; the exporter reads it there."""
    told = ("OTEL_EXPORTER_OTLP_TIMEOUT", "OTEL_EXPORTER_OTLP_TRACES_TIMEOUT")
    return None if any(os.environ.get(name) for name in told) else PATIENCE_S


def opener(tracer: "Tracer") -> Open:
    """Opens the spans of `remediation.spans` with OpenTelemetry's."""
    from opentelemetry.trace import StatusCode

    @contextmanager
    def opened(name: str, fields: Mapping[str, Value]) -> Iterator[Span]:
        with tracer.start_as_current_span(
            name,
            attributes=_named(fields),
            record_exception=False,  # its words may quote people's data
            set_status_on_exception=False,
        ) as current:
            try:
                yield _Noting(current)
            except BaseException as error:
                current.set_status(StatusCode.ERROR, type(error).__name__)
                raise

    return opened


@dataclass(frozen=True, slots=True)
class _Noting:
    span: "OtelSpan"

    def note(self, **fields: Value) -> None:
        """Adds what is known by now."""
        self.span.set_attributes(_named(fields))


def _named(fields: Mapping[str, Value]) -> dict[str, Value]:
    return {f"{PREFIX}{name}": value for name, value in fields.items() if name in FIELDS}
