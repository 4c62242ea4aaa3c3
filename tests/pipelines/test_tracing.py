"""Traces: spans of a run and of every call outside, sent as OpenTelemetry says, and only where somebody asks."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from sqlalchemy import Engine

from pipelines.tracing import opener
from remediation.gateways.errors import SilentError
from remediation.spans import span, traced
from tests.pipelines.test_logs import sends
from tests.remediation.ledger.evenings import MORNING
from tests.remediation.outbox.senders import Gateway, Mailbox, approve, send
from tests.support.command_line import Makegood, command_line
from tests.support.otlp import receiver
from tests.support.stores import empty_ledger

ENDPOINT = "OTEL_EXPORTER_OTLP_ENDPOINT"


@pytest.fixture
def makegood(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Makegood:
    return command_line(monkeypatch, capsys)


@pytest.fixture
def kept() -> Iterator[InMemorySpanExporter]:
    """Every span that ends."""
    exporter = InMemorySpanExporter()
    provider = TracerProvider(shutdown_on_exit=False)
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    with traced(opener(provider.get_tracer("trial"))):
        yield exporter
    provider.shutdown()


@pytest.fixture
def ledger() -> Iterator[Engine]:
    with empty_ledger() as engine:
        yield engine


def test_a_call_is_a_span_within_its_pass_and_says_how_it_ended(kept: InMemorySpanExporter, ledger: Engine) -> None:
    def silence() -> None:
        raise SilentError("nobody says anything to ada@example.com")

    (resolution,) = approve(ledger)
    send(ledger, Gateway(before=silence), Mailbox(), MORNING)
    call, whole = kept.get_finished_spans()
    assert (call.name, whole.name) == ("send refund", "dispatch")
    assert call.parent is not None
    assert call.parent.span_id == whole.context.span_id
    assert resolution.remedy is not None
    assert {name: value for name, value in (call.attributes or {}).items() if name != "makegood.outbox_id"} == {
        "makegood.gateway": "refunds:test",
        "makegood.attempts": 1,
        "makegood.remedy_id": resolution.remedy.remedy_id,
        "makegood.kind": "refund",
    }
    assert (call.status.is_ok, call.status.description) == (False, "SilentError")
    assert call.events == ()


def test_a_field_that_is_not_listed_leaves_the_house_in_no_span(kept: InMemorySpanExporter) -> None:
    with span("trial", run_id="r-1", email="ada@example.com") as trial:
        trial.note(state="sent", name="Ada")
    (ended,) = kept.get_finished_spans()
    assert dict(ended.attributes or {}) == {"makegood.run_id": "r-1", "makegood.state": "sent"}


def test_a_receiver_gets_the_whole_pass_over_the_wire(
    makegood: Makegood, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with receiver() as got:
        monkeypatch.setenv(ENDPOINT, got.url)
        ran = sends(makegood, tmp_path)
    assert (ran.code, ran.err) == (0, "")
    assert got.paths == {"/v1/traces"}
    assert [each.name for each in got.spans] == [*["send refund"] * 2, *["send mail"] * 2, "dispatch"]
    *calls, whole = got.spans
    assert whole.parent is None
    assert {call.parent for call in calls} == {whole.span_id}
    assert {call.fields["state"] for call in calls} == {"settled", "sent"}
    assert "makegood" in got.text
    assert "example.com" not in got.text


def test_a_receiver_that_is_away_costs_no_refund_and_no_word(
    makegood: Makegood, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with receiver() as gone:
        pass
    monkeypatch.setenv(ENDPOINT, gone.url)
    monkeypatch.setattr("pipelines.tracing.PATIENCE_S", 0.2)
    ran = sends(makegood, tmp_path)
    assert (ran.code, ran.err) == (0, "")
    assert ran.out.startswith("refunds: 2 sent (")


def test_whoever_has_not_installed_it_is_told_and_served(
    makegood: Makegood, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(ENDPOINT, "http://127.0.0.1:1")
    monkeypatch.setitem(sys.modules, "opentelemetry.exporter.otlp.proto.http.trace_exporter", None)
    ran = sends(makegood, tmp_path)
    assert ran.code == 0
    assert ran.err == "makegood: not traced: install it with its extra `tracing`\n"


def test_what_nobody_asked_for_is_not_imported() -> None:
    code = (
        "import sys; from pipelines import cli; sys.argv = ['makegood', 'dispatch', '--ledger', 'sqlite:///none.db']\n"
        "try: cli.main()\n"
        "except SystemExit: pass\n"
        "print(sorted({each.partition('.')[0] for each in sys.modules} & "
        "{'opentelemetry', 'structlog', 'prometheus_client'}), file=sys.stderr)"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ran.stderr.splitlines()[-1] == "[]"
