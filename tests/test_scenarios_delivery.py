"""Every fixture of parcels through the real command line, compared with what its story demands."""

from pathlib import Path
from typing import Final

import polars as pl
import pytest

from tests.support.expected import (
    ExpectedAmends,
    ExpectedDeclined,
    ExpectedDeliveries,
    ExpectedTicket,
    Outcome,
    WrittenDeclined,
    WrittenFinding,
    WrittenReject,
    WrittenRemedy,
    WrittenTicket,
)
from tests.support.running import FIXTURES, LEDGER, as_expected, contents, nightly, replay, several, text_of

REPLAYED: Final = (
    "thor_and_odin",
    "late_parcels",
    "never_scanned",
    "refused_by_customer",
    "depot_on_fire",
    "retracted_scan",
)

Runs = dict[str, Outcome]


def expected(story: str, run: str = "night") -> ExpectedDeliveries:
    return ExpectedDeliveries.model_validate_json((FIXTURES / story / "expected" / f"{run}.json").read_bytes())


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("deliveries")


@pytest.fixture(scope="module")
def runs(folder: Path) -> Runs:
    ledger = folder / "decaf.db"
    told = {story: replay(story, folder / story) for story in REPLAYED} | {
        "night": nightly("decaf_twice", ledger, folder / "night", "telemetry", as_of="as_of"),
        "second": nightly("decaf_twice", ledger, folder / "second", "second", as_of="as_of_second"),
        "again": nightly("decaf_twice", ledger, folder / "again", "second", as_of="as_of_second"),
    }
    return dict(zip(told, several(*told.values()), strict=True))


@pytest.fixture(scope="module", params=REPLAYED)
def story(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def replayed(story: str, runs: Runs) -> Outcome:
    return runs[story]


def test_each_failure_is_found_with_the_figures_of_its_story(story: str, replayed: Outcome) -> None:
    assert_found(replayed, expected(story))


def test_what_is_owed_is_given_in_money_and_goods(story: str, replayed: Outcome) -> None:
    assert given(replayed) == owed_by(expected(story))


def test_what_is_not_given_has_its_reason(story: str, replayed: Outcome) -> None:
    declined = replayed.lines(WrittenDeclined, "declined.jsonl")
    seen = {line.subject.id: ExpectedDeclined(outcome=line.outcome, code=line.code) for line in declined}
    assert seen == expected(story).declined
    assert all(line.reason.endswith(".") for line in declined)


def test_one_cause_is_one_ticket(story: str, replayed: Outcome) -> None:
    assert tickets(replayed) == expected(story).tickets


def test_every_record_is_accounted_for(story: str, replayed: Outcome) -> None:
    counts = expected(story).counts
    balance = f"{counts.records:,} in = {counts.used:,} used + {counts.duplicate:,} duplicate + {counts.rejected:,} rej"
    assert balance in " ".join(replayed.said.split())


def test_each_unusable_record_is_named_with_its_place(story: str, replayed: Outcome) -> None:
    seen = [as_expected(line) for line in replayed.lines(WrittenReject, "rejects.jsonl")]
    assert sorted(map(repr, seen)) == sorted(map(repr, expected(story).rejects))


def test_each_remedy_has_one_mail_that_names_the_thing_and_the_amount(story: str, replayed: Outcome) -> None:
    assert_mailed(replayed, expected(story))


def test_nobody_is_named_outside_the_mails(story: str, replayed: Outcome) -> None:
    people = pl.read_ndjson(FIXTURES / story / "customers.jsonl")
    names = ("findings.jsonl", "remedies.jsonl", "declined.jsonl", "rejects.jsonl", "tickets.jsonl", "report.html")
    written = "".join((replayed.folder / name).read_text() for name in names) + replayed.said
    assert not [who for who in people["email"].to_list() + people["name"].to_list() if who in written]


def test_a_small_first_night_is_released_however_bad_it_was(replayed: Outcome) -> None:
    assert "nothing of it is sent" not in replayed.said + (replayed.folder / "report.html").read_text()


def test_the_report_shows_each_ticket_and_stands_alone(story: str, replayed: Outcome) -> None:
    report = (replayed.folder / "report.html").read_text()
    assert report.count('<article class="ticket">') == len(expected(story).tickets)
    assert "http://" not in report
    assert "https://" not in report


def test_the_same_item_wrong_again_is_refunded_and_its_listing_questioned(runs: Runs) -> None:
    for night in (runs["night"], runs["second"]):
        told = expected("decaf_twice", night.folder.name)
        assert_found(night, told)
        assert given(night) == owed_by(told)
        assert tickets(night) == told.tickets
        assert_mailed(night, told)

    again = runs["again"]
    assert contents(again.folder / LEDGER) == contents(runs["second"].folder / LEDGER)
    assert "nothing changed" in again.said


def assert_found(run: Outcome, told: ExpectedDeliveries) -> None:
    found = {finding.subject.id: finding for finding in run.lines(WrittenFinding, "findings.jsonl")}
    assert len(found) == len(run.lines(WrittenFinding, "findings.jsonl")), "two findings on one line"
    assert set(found) == set(told.findings)
    for line, wanted in told.findings.items():
        seen = found[line]
        assert (seen.kind, seen.fault) == (wanted.kind, wanted.fault), line
        assert {name: seen.evidence[name] for name in wanted.evidence} == wanted.evidence, line


def assert_mailed(run: Outcome, told: ExpectedDeliveries) -> None:
    mails = run.mails()
    remedies = {remedy.order_line_id: remedy for remedy in run.lines(WrittenRemedy, "remedies.jsonl")}
    assert set(mails) == {
        remedies[line].remedy_id for line, wanted in told.remedies.items() if wanted.mail_says is not None
    }
    for line, wanted in told.remedies.items():
        for words in wanted.mail_says or ():
            mail = mails[remedies[line].remedy_id]
            assert words in str(mail["Subject"]) + text_of(mail), line


def given(run: Outcome) -> dict[str, ExpectedAmends]:
    """What was decided in someone's favour, as `expected/` says it."""
    return {
        remedy.order_line_id: ExpectedAmends(
            actions=sorted(map(str, remedy.actions)),
            amount=remedy.amount,
            currency=remedy.currency,
            number=remedy.number,
            state=remedy.state,
        )
        for remedy in run.lines(WrittenRemedy, "remedies.jsonl")
    }


def owed_by(told: ExpectedDeliveries) -> dict[str, ExpectedAmends]:
    return {
        line: wanted.model_copy(update={"actions": sorted(wanted.actions), "mail_says": None})
        for line, wanted in told.remedies.items()
    }


def tickets(run: Outcome) -> list[ExpectedTicket]:
    return [
        ExpectedTicket(
            kind=ticket.kind, cohort=ticket.cohort, order_line_ids=sorted(ticket.order_line_ids), state=ticket.state
        )
        for ticket in run.lines(WrittenTicket, "tickets.jsonl")
    ]
