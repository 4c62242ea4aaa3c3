"""Every fixture through the real command line, compared with what its story demands."""

import sqlite3
from collections import Counter
from contextlib import closing
from pathlib import Path
from typing import Final

import polars as pl
import pytest

from tests.support.expected import (
    Expected,
    ExpectedDeclined,
    Outcome,
    WrittenDeclined,
    WrittenFinding,
    WrittenReject,
    WrittenRemedy,
)
from tests.support.running import FIXTURES, LEDGER, Command, as_expected, contents, nightly, replay, several, text_of

REPLAYED: Final = ("casablanca_night", "healthy_day", "duplicate_beacons", "truncated_file", "two_currencies")
TOLERANCE_MS: Final = {"startup_ms": 150, "stall_count": 0, "stall_ms": 50, "seek_wait_ms": 50}

Runs = dict[str, Outcome]


def expected(story: str, run: str = "night") -> Expected:
    return Expected.model_validate_json((FIXTURES / story / "expected" / f"{run}.json").read_bytes())


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("scenarios")


@pytest.fixture(scope="module")
def runs(folder: Path) -> Runs:
    # The last one below starts the installed program.
    told = {story: replay(story, folder / story) for story in REPLAYED} | reruns(folder)
    return dict(zip(told, several(*told.values()), strict=True))


def reruns(folder: Path) -> dict[str, Command]:
    """Runs on one ledger that is kept, by the name of their folder."""
    ledger = folder / "rerun.db"
    return {
        "night": nightly("rerun", ledger, folder / "night", "telemetry", as_of="as_of"),
        "again": nightly("rerun", ledger, folder / "again", "telemetry", as_of="as_of"),
        "late": nightly("rerun", ledger, folder / "late", "telemetry", "late", as_of="as_of_late"),
    }


@pytest.fixture(scope="module", params=REPLAYED)
def story(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def replayed(story: str, runs: Runs) -> Outcome:
    return runs[story]


def test_each_session_is_judged_as_its_story_says(story: str, replayed: Outcome) -> None:
    night, sessions = expected(story), replayed.sessions()
    assert sessions.height == night.session_count
    assert set(night.sessions) <= set(sessions["session_id"])
    for session_id, failures in sessions.select("session_id", "failures").iter_rows():
        told = night.sessions.get(session_id)
        must, may = (told.failures, told.also_possible) if told else ([], [])
        assert set(must) <= set(failures) <= {*must, *may}, session_id


def test_stalls_waits_and_starts_are_those_that_the_viewer_saw(story: str, replayed: Outcome) -> None:
    rows = replayed.sessions().rows_by_key("session_id", named=True, unique=True)
    for session_id, told in expected(story).sessions.items():
        seen = rows[session_id]
        assert seen["stalls_known"] is told.stalls_known, session_id
        for figure, tolerance in TOLERANCE_MS.items():
            wanted = getattr(told, figure)
            if wanted is not None:
                assert seen[figure] == pytest.approx(wanted, abs=tolerance), (session_id, figure)


def test_what_a_player_without_states_cannot_tell_stays_unknown(runs: Runs) -> None:
    silent = runs["casablanca_night"].sessions().filter(~pl.col("stalls_known"))
    assert silent.height == 1
    unknown = silent.select("stall_count", "stall_ms", "seek_count", "seek_wait_ms", "stall_after_seek_ms")
    assert set(unknown.row(0)) == {None}


def test_every_record_is_used_repeated_rejected_or_late(story: str, replayed: Outcome) -> None:
    counts, sessions = expected(story).counts, replayed.sessions()
    rejected = sum(line.count for line in replayed.lines(WrittenReject, "rejects.jsonl") if line.scope != "field")
    assert counts.records == counts.used + counts.duplicate + counts.rejected + counts.late
    assert (sessions["events"].sum(), sessions["duplicates"].sum(), rejected) == (
        counts.used,
        counts.duplicate,
        counts.rejected,
    )


def test_each_failure_of_a_session_is_one_finding(replayed: Outcome) -> None:
    found = Counter((finding.subject.id, finding.kind) for finding in replayed.lines(WrittenFinding, "findings.jsonl"))
    failed = replayed.sessions().explode("failures").drop_nulls("failures")
    assert found == Counter(failed.select("session_id", "failures").iter_rows())


def test_what_is_owed_is_approved_in_its_own_currency(story: str, replayed: Outcome) -> None:
    remedies = replayed.lines(WrittenRemedy, "remedies.jsonl")
    findings = {finding.finding_id for finding in replayed.lines(WrittenFinding, "findings.jsonl")}
    assert owed(remedies) == owed_by(expected(story))
    for remedy in remedies:
        assert remedy.state == "approved"
        assert remedy.finding_ids
        assert set(remedy.finding_ids) <= findings


def test_what_is_not_paid_is_declined_with_its_reason(story: str, replayed: Outcome) -> None:
    declined = replayed.lines(WrittenDeclined, "declined.jsonl")
    seen = {line.subject.id: ExpectedDeclined(outcome=line.outcome, code=line.code) for line in declined}
    assert seen == expected(story).declined
    assert all(line.reason.endswith(".") for line in declined)


def test_each_unusable_record_is_named_with_its_place(story: str, replayed: Outcome) -> None:
    rejects = replayed.lines(WrittenReject, "rejects.jsonl")
    # Real players leave fields empty that are then left out; line by line, only what was made by hand is demanded.
    wanted = expected(story).rejects
    files = {reject.source for reject in wanted}
    seen = [as_expected(line) for line in rejects if line.scope != "field" or Path(line.source).name in files]
    assert sorted(map(repr, seen)) == sorted(map(repr, wanted))


def test_each_remedy_has_one_mail_that_names_the_film_and_the_amount(story: str, replayed: Outcome) -> None:
    mails = replayed.mails()
    remedies = replayed.lines(WrittenRemedy, "remedies.jsonl")
    assert set(mails) == {remedy.remedy_id for remedy in remedies}
    for remedy in remedies:
        mail = mails[remedy.remedy_id]
        for words in expected(story).remedies[remedy.order_line_id].mail_says:
            assert words in str(mail["Subject"]) + text_of(mail)


def test_nobody_is_named_outside_the_mails(story: str, replayed: Outcome) -> None:
    people = pl.read_ndjson(FIXTURES / story / "customers.jsonl")
    for name in ("findings.jsonl", "remedies.jsonl", "declined.jsonl", "rejects.jsonl", "report.html"):
        written = (replayed.folder / name).read_text() + replayed.said
        assert not [who for who in people["email"].to_list() + people["name"].to_list() if who in written]


def test_a_small_first_night_is_released_however_bad_it_was(replayed: Outcome) -> None:
    assert "nothing of it is sent" not in replayed.said + (replayed.folder / "report.html").read_text()


def test_the_report_stands_alone(replayed: Outcome) -> None:
    report = (replayed.folder / "report.html").read_text()
    assert report.lstrip().lower().startswith("<!doctype html>")
    assert "http://" not in report
    assert "https://" not in report


def test_the_same_night_again_changes_nothing_and_later_news_only_raises(folder: Path, runs: Runs) -> None:
    night, again, late = runs["night"], runs["again"], runs["late"]
    assert flagged(night) == flagged_by(expected("rerun"))
    assert owed(night.lines(WrittenRemedy, "remedies.jsonl")) == owed_by(expected("rerun"))

    assert contents(again.folder / LEDGER) == contents(night.folder / LEDGER)
    assert "nothing changed" in again.said

    assert flagged(late) == flagged_by(expected("rerun", "late"))
    assert owed(late.lines(WrittenRemedy, "remedies.jsonl")) == owed_by(expected("rerun", "late"))
    assert paid(late.folder / LEDGER) == [("line-came-late", 1, 100, "USD"), ("line-came-late", 2, 299, "USD")]

    ledger = folder / "rerun.db"
    nightly("rerun", ledger, folder / "late-again", "telemetry", "late", as_of="as_of_late").run()
    assert contents(ledger) == contents(late.folder / LEDGER)


def flagged(run: Outcome) -> set[tuple[str, str]]:
    return set(run.sessions().explode("failures").drop_nulls("failures").select("session_id", "failures").iter_rows())


def flagged_by(night: Expected) -> set[tuple[str, str]]:
    return {(session_id, failure) for session_id, told in night.sessions.items() for failure in told.failures}


def owed(remedies: list[WrittenRemedy]) -> set[tuple[str, int, int, str]]:
    return {(remedy.order_line_id, remedy.number, remedy.amount, remedy.currency) for remedy in remedies}


def owed_by(night: Expected) -> set[tuple[str, int, int, str]]:
    return {(line, remedy.number, remedy.amount, remedy.currency) for line, remedy in night.remedies.items()}


def paid(ledger: Path) -> list[tuple[str, int, int, str]]:
    query = "select order_line_id, number, amount, currency from remedies order by order_line_id, number"
    with closing(sqlite3.connect(ledger)) as database:
        return list(database.execute(query))
