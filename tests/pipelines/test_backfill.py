"""A range of nights, through the real command line: in order, once, and up to the first that fails."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import pytest
from sqlalchemy import MetaData, select

from pipelines.beginning import begin_night, prepare
from pipelines.nightly import NIGHTS, settle_night
from pipelines.settings import replay_settings
from remediation.database import open_ledger
from remediation.ledger.run import standing
from remediation.locks import BusyError, held
from tests.support.command_line import Makegood, Ran, command_line
from tests.support.stores import empty_file

STORY: Final = Path(__file__).parents[2] / "fixtures" / "two_currencies"
DAY_MS: Final = 86_400_000
OWED: Final = "8 records, 4 sessions, 4 findings, 4 remedies: 3.99 EUR, 500 JPY, 1.250 KWD and 2.99 USD"


@dataclass(frozen=True)
class Week:
    """The same evening again and again, each with its own sessions, orders and customers."""

    folder: Path
    makegood: Makegood

    @property
    def ledger(self) -> str:
        return f"sqlite:///{self.folder / 'ledger.db'}"

    def book(self, *days: int) -> None:
        """What was bought in the evenings before the mornings of these days."""
        for name in ("orders", "customers", "grants"):
            told = (STORY / f"{name}.jsonl").read_text(encoding="utf-8")
            (self.folder / f"{name}.jsonl").write_text("".join(shifted(told, day) for day in days), encoding="utf-8")

    def evening(self, day: int) -> None:
        """The telemetry of the evening before that day's morning."""
        telemetry = self.folder / f"2026-11-{day}"
        telemetry.mkdir()
        beacons = (STORY / "telemetry" / "beacons.jsonl").read_text(encoding="utf-8")
        (telemetry / "beacons.jsonl").write_text(shifted(beacons, day), encoding="utf-8")

    def fill(self, first: int, last: int, *more: str) -> Ran:
        book = [f"--{name}={self.folder / name}.jsonl" for name in ("orders", "customers", "grants")]
        days = (f"--from=2026-11-{first}", f"--to=2026-11-{last}")
        return self.makegood(
            "backfill", f"--telemetry={self.folder}/{{date}}", *book, f"--ledger={self.ledger}", *days, *more
        )

    def rows(self) -> Mapping[str, list[str]]:
        """Every row of every table."""
        engine, metadata = open_ledger(self.ledger), MetaData()
        metadata.reflect(engine)
        with engine.connect() as connection:
            found = {
                table.name: sorted(map(str, connection.execute(select(table)))) for table in metadata.sorted_tables
            }
        engine.dispose()
        return found


def shifted(text: str, day: int) -> str:
    """Lines of the story as of another day of the month, under ids of their own."""
    days = day - 22
    text = re.sub(r"\b17952[0-9]{8}\b", lambda ms: str(int(ms[0]) + days * DAY_MS), text)
    text = re.sub(r"2026-11-(\d\d)", lambda date: f"2026-11-{int(date[1]) + days}", text)
    return re.sub(r'"((?:session|line|order|customer|payment|film)-[a-z]+)"', rf'"\1-{day}"', text)


@pytest.fixture
def week(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Week:
    empty_file(tmp_path / "ledger.db")
    monkeypatch.setattr("pipelines.commands.backfilling.clock", lambda: 1_795_327_200_000 + 30 * DAY_MS)
    return Week(tmp_path, command_line(monkeypatch, capsys))


def test_it_stops_at_the_first_night_that_fails_goes_on_there_and_moves_nothing_twice(week: Week) -> None:
    week.book(21, 22, 23)
    week.evening(22)
    broken = week.fill(22, 24, f"--out={week.folder}/out/{{date}}")
    assert broken.code == 1
    assert re.fullmatch(
        r"makegood: the night of 2026-11-23 failed: .*/2026-11-23: no file is there; .*", broken.err.splitlines()[-1]
    )
    assert [line[:20] for line in broken.out.splitlines()] == ["2026-11-22  released", "3 nights: 1 released"]
    assert "2 not run" in broken.out
    assert (week.folder / "out" / "2026-11-22" / "report.html").exists()

    week.evening(23)
    mended = week.fill(22, 23)
    assert mended.code == 0
    assert mended.out.splitlines() == [
        f"2026-11-22  released before: {OWED}",
        f"2026-11-23  released: {OWED}",
        "2 nights: 1 released, 1 settled before; newly owed: 3.99 EUR, 500 JPY, 1.250 KWD and 2.99 USD",
    ]
    before = week.rows()
    assert len(before["remedies"]) == 8
    again = week.fill(22, 23)
    assert again.out.splitlines()[-1] == "2 nights: 2 settled before; newly owed: nothing"
    assert week.rows() == before

    week.evening(21)  # before what was released already: a person has to look at it
    late = week.fill(21, 21)
    assert late.code == 0
    night, reason, _ = late.out.splitlines()
    assert night == f"2026-11-21  held: {OWED}"
    assert reason.strip().startswith("clock: The night's moment is 2.0 days before that of the last released night")


def test_a_night_is_turned_away_while_another_one_runs(week: Week) -> None:
    week.book(22)
    week.evening(22)
    engine = open_ledger(week.ledger)
    before = week.rows()
    with held(engine, NIGHTS):
        filled = week.fill(22, 22)
        night = week.makegood(
            *("nightly", "--telemetry", week.folder / "2026-11-22", "--orders", week.folder / "orders.jsonl"),
            *("--ledger", week.ledger, "--as-of", "2026-11-22T06:00Z"),
        )
    engine.dispose()
    for ran in (filled, night):
        assert (ran.code, ran.out) == (75, "")
        assert re.fullmatch(
            r"makegood: another night is running on this ledger \(process \d+ on \S+, since .* UTC\): "
            r"let it finish, then run this one again\n",
            ran.err,
        )
    assert week.rows() == before


def test_a_night_that_may_not_be_alone_any_more_is_not_released(tmp_path: Path) -> None:
    settings = replay_settings(STORY, tmp_path, None, None, 0, ())
    empty_file(tmp_path / "ledger.db")
    engine = open_ledger(settings.ledger_url)
    begun = begin_night(prepare(settings), engine)
    with pytest.raises(BusyError, match="another night may have begun"):
        settle_night(begun, engine, lambda: False)
    assert standing(engine, begun.resolving.run.run_id).state == "recording"
    engine.dispose()


@pytest.mark.parametrize(
    ("words", "said"),
    [
        pytest.param(["--telemetry=beacons.jsonl"], "--telemetry holds no {date}", id="every night the same"),
        pytest.param(["--telemetry={date}", "--out=out"], "--out holds no {date}", id="one folder for all"),
    ],
)
def test_a_range_whose_nights_cannot_be_told_apart_is_bad_usage(week: Week, words: list[str], said: str) -> None:
    ran = week.makegood(
        "backfill", *words, "--orders=o.jsonl", f"--ledger={week.ledger}", "--from=2026-11-22", "--to=2026-11-23"
    )
    assert ran.code == 2
    assert said in ran.err


def test_the_story_is_shifted_as_a_whole() -> None:
    line = json.loads(shifted((STORY / "grants.jsonl").read_text(encoding="utf-8").splitlines()[0], 23))
    assert line["session_id"].endswith("-23")
