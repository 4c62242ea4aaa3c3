"""What is told of a stream while it runs, and what its command refuses."""

import json
from dataclasses import replace
from pathlib import Path
from urllib.request import urlopen

import pytest

from pipelines import logs
from pipelines.streaming.run import alone, run_stream
from pipelines.streaming.watching import Watch
from remediation.database import open_ledger
from remediation.ledger.tables import RUNS
from remediation.locks import BusyError
from tests.streaming.playing import HOUR_MS, Played
from tests.support.command_line import command_line
from tests.support.running import FIXTURES

NIGHT = FIXTURES / "casablanca_night"


@pytest.fixture(scope="module")
def played(tmp_path_factory: pytest.TempPathFactory) -> Played:
    played = Played.fixture(NIGHT, tmp_path_factory.mktemp("watched"), slice_ms=HOUR_MS)
    played.stream()
    return played


def test_everything_is_told_once_and_without_a_name_or_an_address(played: Played) -> None:
    ledger = open_ledger(played.night.ledger_url)
    watch = Watch(ledger, 0)

    lines = list(watch.look())

    assert sorted(line for line in lines if "slice" not in line) == [
        "2026-11-21 19:11:14 UTC  low_quality, playback_stalls  Casablanca (line-0501): 2.99 USD, approved",
        "2026-11-21 19:36:07 UTC  slow_start  Casablanca (line-0201): 1.00 EUR, approved",
        "2026-11-21 19:37:43 UTC  low_quality  Casablanca (line-0601): 2.00 USD, approved",
        "2026-11-21 19:41:13 UTC  playback_failed  Casablanca (line-0801): 3.49 GBP, approved",
    ]
    assert [line.partition("  ")[2] for line in lines if "slice" in line] == [
        "slice released: 1,911 records, 4 sessions closed",
        "slice released: 16 records, 6 sessions closed",
    ]
    assert not any("@" in line for line in lines)
    assert list(watch.look()) == []
    ledger.dispose()


def test_what_was_before_is_not_told_again(played: Played) -> None:
    ledger = open_ledger(played.night.ledger_url)
    first = min(as_of for (as_of,) in played.rows(RUNS, "as_of") if isinstance(as_of, int))

    lines = list(Watch(ledger, first).look())

    assert not any("line-0501" in line for line in lines)
    assert any("line-0801" in line for line in lines)
    ledger.dispose()


@pytest.mark.parametrize(
    ("options", "problem"),
    [
        (["--until", "2026-11-22T06:00:00Z"], "--until names the end of a replay: use it with --drain"),
        (["--tick", "0"], "--tick 0 is no number of seconds above zero"),
        (["--slice", "7"], "--slice 7 s must be a whole multiple of 5 s"),
        (["--causes", "400"], "--causes 400 s must be a whole multiple of 300 s"),
        (["--source", "file:x"], "file:x: names no source of a stream; write dir:PATH or kafka://HOST:PORT/TOPIC"),
    ],
    ids=lambda value: value[0] if isinstance(value, list) else "",
)
def test_what_a_stream_cannot_mean_is_refused_in_one_sentence(
    options: list[str],
    problem: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    book = [part for name in ("orders", "customers") for part in (f"--{name}", str(NIGHT / f"{name}.jsonl"))]
    source = [] if "--source" in options else ["--source", f"dir:{tmp_path}"]

    makegood = command_line(monkeypatch, capsys)
    told = makegood("stream", *source, *book, "--ledger", f"sqlite:///{tmp_path}/ledger.db", *options)

    assert told.code in {1, 2}
    assert problem in told.err


def test_a_second_stream_of_the_same_source_is_turned_away(tmp_path: Path) -> None:
    settings = Played.fixture(FIXTURES / "two_currencies", tmp_path).settings
    settings = replace(settings, source=f"dir:{tmp_path}")
    with alone(settings):
        with pytest.raises(BusyError, match="another stream of this source runs on this ledger"):
            run_stream(settings, ["--prism_location=/bin/false"], lambda _: None, drain=True)
        with alone(replace(settings, source="dir:another")):
            pass


def test_a_stream_can_be_watched_by_machines_while_it_runs(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    told: list[str] = []
    scraped: list[str] = []

    def tell(line: str) -> None:
        told.append(line)
        if "slice released" in line:
            with urlopen(told[0].removeprefix("metrics at ")) as answer:  # noqa: S310 - our own address
                scraped.append(answer.read().decode())

    settings = Played.fixture(FIXTURES / "two_currencies", tmp_path, slice_ms=HOUR_MS).settings
    settings = replace(settings, source=f"dir:{FIXTURES / 'two_currencies' / 'telemetry'}")
    logs.start(logs.LogFormat.JSON, logs.LogLevel.INFO, "stream")
    assert run_stream(settings, ["--runner=FnApiRunner"], tell, drain=True, metrics=("127.0.0.1", 0))
    logs.stop()
    assert 'makegood_sessions_total{run="stream"} 4.0' in scraped[-1]
    assert 'makegood_findings_total{kind="playback_failed",run="stream"} 4.0' in scraped[-1]
    logged = [json.loads(line) for line in capsys.readouterr().err.splitlines()]
    assert {each["kind"] for each in logged if each["event"] == "run judged"} == {"stream"}
    assert len([each for each in logged if each["event"] == "remedy recorded"]) == 4
