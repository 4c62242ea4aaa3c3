"""The command line in this process: what it prints, what it refuses, and with which exit code."""

import json
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import pytest

from tests.support.command_line import Makegood, command_line
from tests.support.running import Command, several

FIXTURES: Final = Path(__file__).parents[2] / "fixtures"
NIGHT: Final = FIXTURES / "casablanca_night"
ALWAYS: Final = ("--orders", str(NIGHT / "orders.jsonl"), "--customers", str(NIGHT / "customers.jsonl"))


@pytest.fixture
def makegood(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Makegood:
    return command_line(monkeypatch, capsys)


def nightly(*more: str | Path, ledger: Path, telemetry: Path = NIGHT / "telemetry") -> list[str | Path]:
    grants = ("--grants", NIGHT / "grants.jsonl")
    moment = ("--as-of", "2026-11-22T06:00:00Z")
    return ["nightly", "--telemetry", telemetry, *ALWAYS, *grants, *moment, "--ledger", f"sqlite:///{ledger}", *more]


@pytest.fixture
def elsewhere(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize(
    ("arguments", "code", "sentence"),
    [
        pytest.param(["nightly"], 2, "Missing option", id="options are missing"),
        pytest.param(["sessions", "x", "--out", "table.csv"], 2, "table.csv ends neither in", id="an unknown form"),
        pytest.param(["sessions", "nothing-here"], 1, "nothing-here: no file is there", id="no telemetry"),
        pytest.param(["replay", "nothing-here"], 2, "orders.jsonl is not there", id="no folder to replay"),
        pytest.param(["dispatch", "--ledger", "mysql://a/b"], 1, "sqlite", id="another kind of database"),
        pytest.param(["dispatch", "--ledger", "sqlite:///no.db"], 1, "no.db does not exist", id="no ledger"),
        pytest.param(
            ["explain", "x", "--ledger", "sqlite:///no.db"], 1, "no.db does not exist", id="nothing to explain"
        ),
        pytest.param(["frobnicate"], 2, "No such command", id="an unknown command"),
    ],
)
def test_bad_usage_is_2_and_a_failed_run_is_1(
    makegood: Makegood, elsewhere: Path, arguments: list[str], code: int, sentence: str
) -> None:
    ran = makegood(*arguments)
    assert (ran.code, ran.out) == (code, "")
    assert sentence in ran.err
    assert "Traceback" not in ran.err
    assert not list(elsewhere.iterdir())


def test_a_moment_that_is_none_is_bad_usage(makegood: Makegood, tmp_path: Path) -> None:
    ran = makegood(*nightly("--as-of", "tomorrow", ledger=tmp_path / "ledger.db"))
    assert ran.code == 2
    assert "--as-of 'tomorrow' is no ISO 8601 time" in ran.err


def test_a_source_that_is_missing_stops_the_night_before_the_ledger_is_made(makegood: Makegood, tmp_path: Path) -> None:
    ran = makegood(*nightly(ledger=tmp_path / "ledger.db", telemetry=tmp_path / "gone"))
    assert ran.code == 1
    assert ran.err == f"makegood: {tmp_path}/gone: no file is there; name an existing file, folder or glob\n"
    assert not list(tmp_path.iterdir())


def test_a_fault_in_the_policy_names_file_line_and_field(makegood: Makegood, tmp_path: Path) -> None:
    policy = tmp_path / "policy.toml"
    policy.write_text("[severity]\nmoderate_from = 'often'\n")
    ran = makegood(*nightly("--policy", policy, ledger=tmp_path / "ledger.db"))
    assert ran.code == 1
    assert ran.err.startswith(f"makegood: {policy}")


def test_a_runner_that_picks_its_engine_by_itself_is_refused(makegood: Makegood, tmp_path: Path) -> None:
    ran = makegood(*nightly("--", "--runner=DirectRunner", ledger=tmp_path / "ledger.db"))
    assert ran.code == 2
    assert "--runner=DirectRunner picks an engine by itself" in ran.err


@dataclass(frozen=True)
class Twice:
    """What one night said the first time and the second, the metrics after each, and the ledger."""

    said: tuple[str, str]
    metrics: tuple[str, str]
    ledger: Path


@pytest.fixture(scope="module")
def twice(tmp_path_factory: pytest.TempPathFactory) -> Twice:
    folder = tmp_path_factory.mktemp("twice")
    metrics, ledger = folder / "nightly.prom", folder / "ledger.db"
    night = nightly("--show-mail", "line-0501", "--metrics", metrics, ledger=ledger)
    command = Command(tuple(map(str, night)), folder / "out")
    (first,), told, (second,) = several(command), metrics.read_text(), several(command)
    return Twice((first.said, second.said), (told, metrics.read_text()), ledger)


def test_a_night_twice_changes_nothing_and_says_so(twice: Twice) -> None:
    (first, second), (told, again) = twice.said, twice.metrics
    assert 'makegood_records_total{fate="used",run="night"} 1918.0' in told
    assert 'makegood_findings_total{kind="low_quality",run="night"} 3.0' in told
    assert 'makegood_remedies_minor_units{currency="USD",run="night",state="approved"} 499.0' in told
    assert lasting(again) == lasting(told)
    assert "nothing changed" not in first
    assert "Nothing changed: this night was already recorded." in second
    assert "カサブランカ" in first
    assert first.splitlines()[1:11] == second.splitlines()[1:11]


def lasting(metrics: str) -> list[str]:
    """What another run of the same night leaves as it was."""
    return [line for line in metrics.splitlines() if 'command="nightly"' not in line]


def test_what_is_approved_is_sent_once_and_can_be_explained(makegood: Makegood, twice: Twice, tmp_path: Path) -> None:
    url = f"sqlite:///{shutil.copy(twice.ledger, tmp_path)}"
    names = {"--mailer": "mail", "--gateway": "refunds", "--goods": "goods"}
    folders = [word for option, name in names.items() for word in (option, f"file:{tmp_path / name}")]
    # In the morning here it is day in Tokyo, in the evening in New York: nobody is written to at night.
    for moment in (("--now", "2026-11-23T09:00:00Z"), ("--now", "2026-11-23T18:00:00Z")):
        assert makegood("dispatch", "--ledger", url, *folders, *moment).code == 0
    mails, refunds = sorted((tmp_path / "mail").iterdir()), sorted((tmp_path / "refunds").iterdir())
    again = makegood("dispatch", "--ledger", url, *folders, *moment)
    assert again.out.count("0 sent") == 3
    assert sorted((tmp_path / "mail").iterdir()) == mails
    assert sorted((tmp_path / "refunds").iterdir()) == refunds
    assert {file.stem for file in mails} == {file.stem for file in refunds}
    told = makegood("explain", "line-0501", "--ledger", url)
    assert told.code == 0
    assert "2.99 USD" in told.out
    assert makegood("explain", "nobody", "--ledger", url).code == 1


def test_telemetry_may_be_followed_by_several_paths(makegood: Makegood, tmp_path: Path) -> None:
    files = sorted((NIGHT / "telemetry").glob("hls-0*.reports.jsonl"))
    arguments = nightly(ledger=tmp_path / "ledger.db", telemetry=files[0])
    arguments[3:3] = files[1:]
    ran = makegood(*arguments)
    assert ran.code == 0
    assert f"sessions     {len(files)}," in ran.out


def test_the_session_table_goes_to_standard_output_or_a_file(makegood: Makegood, tmp_path: Path) -> None:
    file = NIGHT / "telemetry" / "hls-01_clean.reports.jsonl"
    rows = [json.loads(line) for line in makegood("sessions", file).out.splitlines()]
    assert makegood("sessions", file, "--out", tmp_path / "table.jsonl").out == ""
    assert [json.loads(line) for line in (tmp_path / "table.jsonl").read_text().splitlines()] == rows
    assert [row["stall_count"] for row in rows] == [0]


def test_the_schemas_are_json(makegood: Makegood) -> None:
    schemas = json.loads(makegood("schema").out)
    assert all("type" in schema or "$ref" in schema or "properties" in schema for schema in schemas.values())


def test_help_imports_neither_beam_nor_polars() -> None:
    code = "import sys, pipelines.cli; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert {"apache_beam", "polars", "sqlalchemy"}.isdisjoint(done.stdout.split())


def test_a_root_cause_is_listed_shown_and_confirmed_by_a_person(makegood: Makegood, tmp_path: Path) -> None:
    story, ledger = FIXTURES / "depot_on_fire", f"sqlite:///{tmp_path / 'ledger.db'}"
    books = [f"--{name}={story / name}.jsonl" for name in ("orders", "customers")]
    moment = (story / "as_of").read_text().strip()
    night = ["nightly", "--telemetry", story / "telemetry", *books, "--ledger", ledger, "--as-of", moment]
    assert makegood(*night).code == 0
    (line,) = makegood("tickets", "list", "--ledger", ledger).out.splitlines()
    ticket = line.split()[0]
    shown = makegood("tickets", "show", ticket, "--ledger", ledger).out
    assert "50 of 60 parcels" in shown
    word = ("--actor", "Rick", "--reason", "The depot burnt down.")
    assert "confirmed" in makegood("tickets", "set", ticket, "confirmed", "--ledger", ledger, *word).out
    back = makegood("tickets", "set", ticket, "open", "--ledger", ledger, *word)
    assert back.code == 1
    assert "cannot become open" in back.err
    assert makegood("tickets", "list", "--ledger", ledger, "--state", "open").out == "no ticket\n"
    assert makegood("tickets", "show", "nothing", "--ledger", ledger).code == 1
