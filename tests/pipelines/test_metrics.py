"""Metrics: as text files that node exporter collects, and over HTTP."""

import re
import subprocess
from collections.abc import Mapping
from contextlib import closing
from http.client import HTTPConnection
from pathlib import Path
from typing import Final

import pytest
from prometheus_client.parser import text_string_to_metric_families

from pipelines.metering import serving
from pipelines.metrics import METRICS
from pipelines.settings import UsageError
from remediation.database import open_ledger
from remediation.ledger.measures import Runs
from remediation.outbox.lock import sender_lock
from tests.pipelines.test_logs import sends
from tests.remediation.ledger.evenings import MORNING, a_remedy, an_order, owed, record_night, with_orders
from tests.remediation.outbox.senders import approve
from tests.support.command_line import Makegood, command_line
from tests.support.stores import empty_file

NOON_S: Final = 1_795_348_800.0

Samples = Mapping[tuple[str, ...], float]


@pytest.fixture
def makegood(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Makegood:
    monkeypatch.setattr("pipelines.commands.metering.clock", lambda: round(NOON_S * 1000))
    return command_line(monkeypatch, capsys)


def samples(text: str) -> Samples:
    """Every value by its metric and the values of its labels, in their order; each is in the table."""
    found = {}
    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            kind = METRICS[sample.name]
            assert (family.type, family.documentation) == (kind.type, kind.says)
            assert tuple(sample.labels) == tuple(sorted(kind.labels)) or tuple(sample.labels) == kind.labels
            found[sample.name, *(sample.labels[label] for label in kind.labels)] = sample.value
    return found


def test_a_pass_writes_what_it_left(makegood: Makegood, tmp_path: Path) -> None:
    file = tmp_path / "dispatch.prom"
    assert sends(makegood, tmp_path, after=(f"--metrics={file}",)).code == 0
    found = dict(samples(file.read_text()))
    assert found.pop(("makegood_run_duration_seconds", "dispatch")) > 0
    assert found == {
        ("makegood_last_run_timestamp_seconds", "dispatch"): NOON_S,
        ("makegood_last_success_timestamp_seconds", "dispatch"): NOON_S,
        ("makegood_last_exit_code", "dispatch"): 0,
        ("makegood_outbox_items", "mail", "sent"): 2,
        ("makegood_outbox_items", "refund", "settled"): 2,
        ("makegood_refunded_minor_units_total", "USD"): 598,
    }
    assert sorted(path.name for path in tmp_path.glob("*.prom*")) == ["dispatch.prom"]


@pytest.mark.parametrize(("ending", "code"), [("busy", 75), ("broken", 1)])
def test_a_pass_that_fails_keeps_the_last_success(
    makegood: Makegood, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, ending: str, code: int
) -> None:
    file, url = tmp_path / "dispatch.prom", f"sqlite:///{tmp_path / 'ledger.db'}"
    sends(makegood, tmp_path, after=(f"--metrics={file}",))
    monkeypatch.setattr("pipelines.commands.metering.clock", lambda: round(NOON_S * 1000) + 60_000)
    words = ["dispatch", f"--ledger={url}", f"--metrics={file}", f"--gateway=file:{tmp_path / 'gateway'}"]
    engine = open_ledger(url)
    if ending == "busy":
        with sender_lock(engine):
            ran = makegood(*words)
    else:
        (tmp_path / "gateway").rename(tmp_path / "away")
        (tmp_path / "gateway").write_text("no folder")
        approve(engine, 3)
        ran = makegood(*words)
    engine.dispose()
    assert ran.code == code
    found = samples(file.read_text())
    assert found["makegood_last_exit_code", "dispatch"] == code
    assert found["makegood_last_success_timestamp_seconds", "dispatch"] == NOON_S
    assert found["makegood_last_run_timestamp_seconds", "dispatch"] == NOON_S + 60


def test_a_first_run_that_fails_has_no_success_and_no_ledger_to_read(makegood: Makegood, tmp_path: Path) -> None:
    file = tmp_path / "nightly.prom"
    words = ("--telemetry=none", "--orders=none", "--as-of=06:00", f"--ledger=sqlite:///{tmp_path}/none.db")
    assert makegood("nightly", *words, f"--metrics={file}").code == 1
    assert {name for name, *_ in samples(file.read_text())} == {
        "makegood_last_run_timestamp_seconds",
        "makegood_run_duration_seconds",
        "makegood_last_exit_code",
    }


def test_what_differs_is_told_by_kind_and_is_no_success(makegood: Makegood, tmp_path: Path) -> None:
    file = tmp_path / "reconcile.prom"
    sends(makegood, tmp_path)
    words = ("reconcile", f"--ledger=sqlite:///{tmp_path / 'ledger.db'}", f"--gateway=file:{tmp_path / 'gateway'}")
    more = ("--now=2026-11-23T10:00:00Z", f"--metrics={file}")
    assert makegood(*words, *more).code == 0
    agreed = samples(file.read_text())
    assert sum(value for (name, *_), value in agreed.items() if name == "makegood_discrepancies") == 0
    next((tmp_path / "gateway").glob("*.json")).unlink()
    assert makegood(*words, *more).code == 1
    differs = samples(file.read_text())
    assert differs["makegood_discrepancies", "missing"] == 1
    assert differs["makegood_last_exit_code", "reconcile"] == 1


def test_a_file_that_cannot_be_written_fails_nobodys_refund(makegood: Makegood, tmp_path: Path) -> None:
    file = tmp_path / "dispatch.prom"
    file.mkdir()
    ran = sends(makegood, tmp_path, after=(f"--metrics={file}",))
    assert ran.code == 0
    assert ran.out.startswith("refunds: 2 sent (")
    assert ran.err == f"makegood: --metrics {file} cannot be written (Is a directory): mend it\n"


@pytest.mark.parametrize(
    ("name", "said"),
    [("dispatch.txt", "must end in .prom"), ("none/dispatch.prom", "lies in no folder that is there")],
)
def test_a_file_that_nobody_would_collect_is_bad_usage(
    makegood: Makegood, tmp_path: Path, name: str, said: str
) -> None:
    ran = sends(makegood, tmp_path, after=(f"--metrics={tmp_path / name}",))
    assert ran.code == 2
    assert said in ran.err


def test_whoever_asks_over_http_hears_how_the_ledger_stands_now(tmp_path: Path) -> None:
    engine = open_ledger(empty_file(tmp_path / "ledger.db"))
    with_orders(engine, an_order())
    with serving(("127.0.0.1", 0), engine, Runs("night")) as url:
        assert ("makegood_remedies", "night", "approved", "USD") not in samples(asked(url))
        record_night(engine, owed(a_remedy()))
        found = samples(asked(url))
        assert found["makegood_remedies", "night", "approved", "USD"] == 1
        assert found["makegood_newest_run_timestamp_seconds", "night"] == MORNING / 1000
        assert found["makegood_ledger_up",] == 1
        port = int(url.split(":")[2].partition("/")[0])
        with (
            pytest.raises(UsageError, match="choose another --metrics-port"),
            serving(("127.0.0.1", port), engine, Runs("night")),
        ):
            pytest.fail("two listen")
        engine.dispose()
        (tmp_path / "ledger.db").write_bytes(b"no database any more" * 1_000)
        assert samples(asked(url)) == {("makegood_ledger_up",): 0}


def asked(url: str) -> str:
    host, _, _ = url.removeprefix("http://").partition("/")
    with closing(HTTPConnection(host, timeout=10)) as connection:
        connection.request("GET", "/metrics", headers={"Accept": "text/plain"})
        answer = connection.getresponse()
        assert answer.status == 200
        return answer.read().decode()


@pytest.mark.parametrize("name", METRICS)
def test_names_follow_the_conventions(name: str) -> None:
    kind = METRICS[name]
    assert re.fullmatch(r"makegood_[a-z_]+", name)
    assert name.endswith("_total") == (kind.type == "counter")
    assert not {"id", "customer", "order", "session"} & set(kind.labels), "as many values as people"


@pytest.mark.servers
def test_prometheus_itself_has_nothing_against_them(makegood: Makegood, tmp_path: Path) -> None:
    file = tmp_path / "dispatch.prom"
    sends(makegood, tmp_path, after=(f"--metrics={file}",))
    told = subprocess.run(
        ["promtool", "check", "metrics"], input=file.read_text(), capture_output=True, text=True, check=False
    )
    assert (told.returncode, told.stdout, told.stderr) == (0, "", "")
