"""Log lines: what they hold, what they never do, and that nobody sees any who has not asked."""

import io
import json
import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from pipelines import logs
from pipelines.logs import FIELDS, LogFormat, LogLevel
from remediation.database import open_ledger
from tests.remediation.outbox.senders import approve
from tests.support.command_line import Makegood, Ran, command_line
from tests.support.stores import empty_file


@pytest.fixture
def makegood(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Makegood:
    return command_line(monkeypatch, capsys)


def logged(capsys: pytest.CaptureFixture[str], log: Callable[[], None]) -> list[dict[str, Any]]:
    """What is written as JSON, from `debug` on."""
    logs.start(LogFormat.JSON, LogLevel.DEBUG, "trial")
    log()
    logs.stop()
    return [json.loads(line) for line in capsys.readouterr().err.splitlines()]


class Broken(io.StringIO):
    """A pipe whose reader has gone."""

    def write(self, _: str) -> int:
        raise BrokenPipeError


def sends(makegood: Makegood, folder: Path, *first: str, after: tuple[str, ...] = ()) -> Ran:
    """A pass over two refunds and their mails."""
    engine = open_ledger(empty_file(folder / "ledger.db"))
    approve(engine, 2)
    engine.dispose()
    ways = [f"--{way}=file:{folder / way}" for way in ("gateway", "mailer", "goods")]
    now = "--now=2026-11-23T09:00:00Z"
    return makegood(*first, "dispatch", f"--ledger=sqlite:///{folder / 'ledger.db'}", *ways, now, *after)


def test_a_pass_is_told_by_ids_and_on_standard_error_alone(makegood: Makegood, tmp_path: Path) -> None:
    ran = sends(makegood, tmp_path, "--log-format=json")
    assert ran.out.startswith("refunds: 2 sent (")
    told = [json.loads(line) for line in ran.err.splitlines()]
    tried = [each for each in told if each["event"] == "item tried"]
    assert [(each["kind"], each["state"], each["level"]) for each in tried] == [
        *[("refund", "settled", "info")] * 2,
        *[("mail", "sent", "info")] * 2,
    ]
    assert all(len(each["remedy_id"]) == 36 and each["command"] == "dispatch" for each in tried)
    assert [each["sent"] for each in told if each["event"] == "pass ended"] == [2, 0, 2, 0]
    known = {*FIELDS, "event", "level", "logger", "timestamp"}
    assert {name for each in told for name in each} <= known
    assert "example.com" not in ran.err


def test_nobody_who_has_not_asked_sees_a_line(makegood: Makegood, tmp_path: Path) -> None:
    assert sends(makegood, tmp_path).err == ""


def test_a_person_reads_words_and_the_environment_can_say_so(
    makegood: Makegood, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MAKEGOOD_LOG_FORMAT", "console")
    monkeypatch.setenv("MAKEGOOD_LOG_LEVEL", "warning")
    assert sends(makegood, tmp_path).err == ""
    failed = makegood("explain", "nobody", "--ledger", f"sqlite:///{tmp_path / 'none.db'}")
    first, last = failed.err.splitlines()
    assert "[error    ] failed" in first
    assert "exit_code=1" in first
    assert last.startswith("makegood: sqlite:///")


def test_what_fails_is_one_line_of_json(makegood: Makegood, tmp_path: Path) -> None:
    ran = makegood("--log-format=json", "verify", "--ledger", f"sqlite:///{tmp_path}/none.db")
    (line,) = ran.err.splitlines()
    told = json.loads(line)
    assert (ran.code, told["level"], told["event"], told["exit_code"]) == (1, "error", "failed", 1)
    assert told["problem"].endswith("none.db does not exist: name the ledger that a nightly run wrote")


def test_no_field_that_is_not_listed_and_no_trace_comes_into_a_line(capsys: pytest.CaptureFixture[str]) -> None:
    def breaks() -> None:
        try:
            int("ada@example.com")
        except ValueError:
            more = {"email": "ada@example.com", "run_id": "r-1"}
            logging.getLogger("remediation.trial").exception("it broke", extra=more, stack_info=True)

    (line,) = logged(capsys, breaks)
    assert line.pop("timestamp")
    assert line == {
        "event": "it broke",
        "level": "error",
        "logger": "remediation.trial",
        "run_id": "r-1",
        "command": "trial",
    }


@pytest.mark.parametrize("form", [LogFormat.JSON, LogFormat.CONSOLE])
def test_nothing_leaves_its_line_or_steers_a_terminal(form: LogFormat, capsys: pytest.CaptureFixture[str]) -> None:
    logs.start(form, LogLevel.INFO, None)
    logging.getLogger("pipelines.trial").warning("told\nforged: %s", "a\x1b[2J", extra={"problem": "b\r\nforged\u202e"})
    logs.stop()
    said = capsys.readouterr().err
    assert said.count("\n") == 1
    assert not {"\r", "\x1b[2J", "\u202e"} & set(said.replace("\x1b[2J", "\r"))


def test_other_peoples_libraries_complain_without_their_words(capsys: pytest.CaptureFixture[str]) -> None:
    other = logging.getLogger("stripe.api")

    def complains() -> None:
        other.setLevel(logging.DEBUG)
        other.debug("ada@example.com")
        other.info("ada@example.com")
        try:
            int("ada@example.com")
        except ValueError:
            other.exception("ada@example.com %s", "Lund")
        other.setLevel(logging.NOTSET)

    (line,) = logged(capsys, complains)
    assert (line["event"], line["library"], line["level"]) == ("a library complains", "stripe", "error")
    assert "ada" not in json.dumps(line)
    assert "Lund" not in json.dumps(line)


def test_a_line_that_cannot_be_written_is_lost_without_a_word(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patched:
        patched.setattr("sys.stderr", Broken())
        logs.start(LogFormat.JSON, LogLevel.DEBUG, None)
    logging.getLogger("pipelines.trial").error("ada@example.com")
    logs.stop()
    assert capsys.readouterr().err == ""


def test_a_level_keeps_back_what_is_below_it(capsys: pytest.CaptureFixture[str]) -> None:
    logs.start(LogFormat.JSON, LogLevel.WARNING, None)
    log = logging.getLogger("detectors.trial")
    log.info("not told")
    log.warning("told")
    logs.stop()
    log.error("after the end")
    assert [json.loads(line)["event"] for line in capsys.readouterr().err.splitlines() if line.startswith("{")] == [
        "told"
    ]
