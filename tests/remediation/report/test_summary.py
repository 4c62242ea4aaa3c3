from dataclasses import replace

from remediation.guards.figures import Judged
from remediation.ledger.run import Objection
from remediation.report.night import Counts, Night
from remediation.report.summary import summary
from tests.remediation.guards.nights import paid, weeks
from tests.remediation.report.nights import A_NIGHT, a_backdrop, a_decline, a_night, a_remedy, a_row, a_ticket

FULL: Night = replace(
    A_NIGHT,
    remedies=(a_row(), a_row(a_remedy("line-2", 8_990, state="held"))),
    order_lines=300,
    flagged_order_lines=50,
    tickets=tuple(a_ticket(ticket=f"ticket-{number}") for number in range(300)),
    run_state="held",
    objections=tuple(Objection("sessions", f"Reason {number}.") for number in range(9)),
)


def test_the_night_in_a_few_lines() -> None:
    backdrop = a_backdrop(earlier=weeks(1, sessions=Judged(1_000, 20), paid=(paid(3),)))
    assert summary(replace(A_NIGHT, declined=(a_decline(),)), backdrop).splitlines() == [
        "The night up to 22 November 2026, 06:00 UTC",
        "Made good for 1 customer: 2.99 USD.",
        "Nothing waits for a person.",
        "Sessions: 1 of 40 flagged (2.5 %, usually 2.0 %)",
        "Usually paid in a night: 11.97 USD",
        "Findings: 1: 1 playback stalled",
        "Declined: 1 declined, 0 for review",
        "Nearest guard: Order lines flagged, at 40 % of its limit",
        "Records: 1,200 in = 1,190 used + 6 duplicate + 4 rejected + 0 late",
        "Report: out/report.html",
    ]


def test_it_never_has_twenty_lines() -> None:
    text = summary(FULL, a_backdrop(earlier=weeks()))
    assert len(text.splitlines()) == 19
    assert "- and 7 more reasons" in text
    assert "Causes to confirm: 297 more" in text
    assert text.endswith("out/report.html\n")


def test_the_first_night_and_an_empty_one_are_told() -> None:
    empty = replace(
        a_night(), declined=(), counts=Counts(0, 0, 0, 0, 0), sessions=0, flagged_sessions=0, findings_by_kind={}
    )
    text = summary(empty, None)
    assert (
        "Nothing is made good this night.\nNothing waits for a person.\nSessions: 0 of 0 flagged\nFindings: 0\n" in text
    )
    assert "usually" not in text.lower()


def test_a_lost_record_can_not_be_overlooked() -> None:
    assert "≠ 8 used" in (text := summary(replace(A_NIGHT, counts=Counts(10, 8, 0, 1, 0)), None))
    assert "THEY DO NOT ADD UP" in text


def test_nobody_is_named_and_nothing_steers() -> None:
    hostile = "a\x1b[2J\nb\u202e"
    text = summary(
        replace(FULL, tickets=(a_ticket(claim=hostile),), objections=(Objection("x", hostile),), report_path=hostile),
        None,
    )
    assert not set("\x1b\u202e") & set(text)
    assert len(text.splitlines()) < 20
    assert "customer-1" not in text
