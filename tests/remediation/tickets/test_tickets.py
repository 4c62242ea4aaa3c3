import threading
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import Engine
from sqlalchemy.exc import IntegrityError

from detectors.finding import Subject
from detectors.incidents import Affected, Figures, Incident
from remediation.database import writing
from remediation.ledger.findings import write_findings
from remediation.ledger.run import start_run
from remediation.ledger.tables import TICKET_CHANGES, TICKET_LINES, TICKETS
from remediation.tickets import (
    Ticket,
    TicketChangeError,
    TicketState,
    UnknownTicketError,
    UnknownTicketStateError,
    corrected_items,
    list_tickets,
    open_tickets,
    set_state,
    show_ticket,
)
from remediation.tickets.ticket import FORWARD
from tests.remediation.ledger.evenings import MORNING, a_finding, a_run, rows

DAY = 86_400_000

FIGURES = Figures(
    units=60,
    failures=50,
    rate=0.8333,
    rate_low=0.7148,
    rate_high=0.9171,
    rest_units=1_940,
    rest_failures=10,
    baseline=0.005155,
    ratio=161.7,
    ratio_low=81.4,
    ratio_high=358.1,
    q_value=6.1e-76,
)


def lines(*names: str, at: int = MORNING) -> tuple[Affected, ...]:
    return tuple(Affected(Subject("order_line", name), at) for name in names)


def a_listing(*affected: Affected, item: str = "decaf", **fields: Any) -> Incident:
    usual: dict[str, Any] = {
        "kind": "listing",
        "cohort": {"item_id": item, "received_item_id": "coffee"},
        "failure_kinds": ("wrong_item",),
        "claim": "In place of item decaf came item coffee.",
        "fault": "merchant",
        "figures": None,
        "affected": affected or lines("L-1", "L-2"),
        "affected_count": len(affected) or 2,
        "confirmed_by_customers": 2,
        "suggested_action": "Check the brand that the listing names.",
        "reopened_by": 1,
    }
    return Incident(**{**usual, **fields})


def a_fire(*affected: Affected, **fields: Any) -> Incident:
    fire = a_listing(*affected, kind="depot", cohort={"carrier": "ups", "depot": "memphis"}, figures=FIGURES)
    return replace(fire, claim="50 of 60 parcels are lost.", fault="carrier", reopened_by=3, **fields)


def after(ledger: Engine, *incidents: Incident, as_of: int = MORNING) -> int:
    """A night that found these incidents."""
    run = a_run(as_of)
    start_run(ledger, run)
    return open_tickets(ledger, run.run_id, as_of, incidents)


def the_ticket(ledger: Engine) -> Ticket:
    (ticket,) = list_tickets(ledger)
    return ticket


def move(ledger: Engine, *states: str, at: int = MORNING + 1) -> Ticket:
    """Moves the latest ticket through the states."""
    ticket = max(list_tickets(ledger), key=lambda each: each.number)
    for state in states:
        ticket = set_state(ledger, ticket.ticket_id, state, actor="ana", reason="seen in the warehouse", at=at)
    return ticket


def everything(ledger: Engine) -> list[list[dict[str, Any]]]:
    return [rows(ledger, table) for table in (TICKETS, TICKET_LINES, TICKET_CHANGES)]


def test_an_incident_opens_a_ticket_with_all_that_was_claimed(ledger: Engine) -> None:
    assert after(ledger, a_fire(*lines("L-1", "L-2"))) == 1
    ticket = the_ticket(ledger)
    assert (ticket.number, ticket.kind, ticket.state, ticket.fault) == (1, "depot", "open", "carrier")
    assert ticket.cohort == {"carrier": "ups", "depot": "memphis"}
    assert ticket.figures == FIGURES
    assert ticket.order_line_ids == ("L-1", "L-2")
    assert (ticket.opened_at, ticket.closed_at, ticket.changes) == (MORNING, None, ())


def test_the_same_night_again_changes_nothing(ledger: Engine) -> None:
    after(ledger, a_listing(), a_fire())
    before = everything(ledger)
    assert after(ledger, a_fire(), a_listing()) == 0
    assert everything(ledger) == before


def test_the_next_night_adds_lines_and_refreshes_the_figures(ledger: Engine) -> None:
    after(ledger, a_fire(*lines("L-1")))
    later = replace(FIGURES, units=90)
    assert after(ledger, replace(a_fire(*lines("L-2")), figures=later), as_of=MORNING + DAY) == 0
    ticket = the_ticket(ledger)
    assert ticket.order_line_ids == ("L-1", "L-2")
    assert ticket.figures == later
    assert (ticket.opened_at, ticket.as_of) == (MORNING, MORNING + DAY)


def test_an_earlier_night_run_again_adds_its_lines_and_leaves_the_figures(ledger: Engine) -> None:
    after(ledger, a_fire(*lines("L-1")))
    after(ledger, replace(a_fire(*lines("L-2")), claim="An old claim."), as_of=MORNING - DAY)
    ticket = the_ticket(ledger)
    assert ticket.order_line_ids == ("L-1", "L-2")
    assert (ticket.claim, ticket.as_of) == ("50 of 60 parcels are lost.", MORNING)


def test_a_confirmed_ticket_goes_on_gathering_lines(ledger: Engine) -> None:
    after(ledger, a_listing(*lines("L-1", "L-2")))
    move(ledger, "confirmed")
    after(ledger, a_listing(*lines("L-3", at=MORNING + DAY)), as_of=MORNING + DAY)
    assert the_ticket(ledger).order_line_ids == ("L-1", "L-2", "L-3")
    assert the_ticket(ledger).state == "confirmed"


@pytest.mark.parametrize("closing", [("confirmed", "done"), ("rejected",)], ids=["done", "rejected"])
class TestAfterClosing:
    @pytest.fixture(autouse=True)
    def closed(self, ledger: Engine, closing: tuple[str, ...]) -> None:
        after(ledger, a_fire(*lines("L-1", "L-2")))
        move(ledger, *closing)

    def test_the_same_failures_do_not_reopen_it(self, ledger: Engine, closing: tuple[str, ...]) -> None:
        before = everything(ledger)
        assert after(ledger, a_fire(*lines("L-1", "L-2", "L-0")), as_of=MORNING + DAY) == 0
        assert everything(ledger) == before
        assert the_ticket(ledger).state == closing[-1]

    def test_a_few_new_failures_are_the_usual_ones(self, ledger: Engine) -> None:
        assert after(ledger, a_fire(*lines("L-3", "L-4", at=MORNING + DAY)), as_of=MORNING + DAY) == 0

    def test_as_many_new_failures_as_make_a_case_open_another_ticket(
        self, ledger: Engine, closing: tuple[str, ...]
    ) -> None:
        new = lines("L-3", "L-4", "L-5", at=MORNING + DAY)
        assert after(ledger, a_fire(*lines("L-1", "L-2"), *new), as_of=MORNING + DAY) == 1
        second, first = list_tickets(ledger)
        assert [(first.number, first.state), (second.number, second.state)] == [(1, closing[-1]), (2, "open")]
        assert second.order_line_ids == ("L-3", "L-4", "L-5")
        assert second.ticket_id != first.ticket_id
        assert first.order_line_ids == ("L-1", "L-2")

    def test_the_second_ticket_gathers_only_what_came_after_the_first(self, ledger: Engine) -> None:
        new = lines("L-3", "L-4", "L-5", at=MORNING + DAY)
        after(ledger, a_fire(*new), as_of=MORNING + DAY)
        late = lines("L-6", at=MORNING + 2 * DAY)
        assert after(ledger, a_fire(*lines("L-1", "L-2"), *new, *late), as_of=MORNING + 2 * DAY) == 0
        assert list_tickets(ledger)[0].order_line_ids == ("L-3", "L-4", "L-5", "L-6")


def test_one_more_mix_up_after_a_correction_is_one_too_many(ledger: Engine) -> None:
    after(ledger, a_listing())
    move(ledger, "confirmed", "done")
    assert after(ledger, a_listing(*lines("L-3", at=MORNING + DAY)), as_of=MORNING + DAY) == 1


ALLOWED = {("open", "confirmed"), ("open", "rejected"), ("confirmed", "done"), ("confirmed", "rejected")}
PATHS = {"open": (), "confirmed": ("confirmed",), "done": ("confirmed", "done"), "rejected": ("rejected",)}


@pytest.mark.parametrize(("before", "to"), [(before, to) for before in PATHS for to in PATHS])
def test_states_only_move_forward(ledger: Engine, before: str, to: str) -> None:
    after(ledger, a_listing())
    ticket = move(ledger, *PATHS[before]) if PATHS[before] else the_ticket(ledger)
    if (before, to) in ALLOWED:
        assert move(ledger, to).state == to
        return
    kept = everything(ledger)
    with pytest.raises(TicketChangeError, match=f"is {before} and cannot become {to}: it may become"):
        set_state(ledger, ticket.ticket_id, to, actor="ana", reason="a slip", at=MORNING)
    assert everything(ledger) == kept


def test_no_path_leads_back() -> None:
    assert {(str(a), str(b)) for a in TicketState for b in FORWARD[a]} == ALLOWED


def test_each_step_is_written_down_with_its_person_and_reason(ledger: Engine) -> None:
    after(ledger, a_listing())
    ticket_id = the_ticket(ledger).ticket_id
    set_state(ledger, ticket_id, "confirmed", actor="ana", reason="the label says decaf", at=MORNING + 1)
    ticket = set_state(ledger, ticket_id, "done", actor="ben", reason="the listing is corrected", at=MORNING + 2)
    assert [(step.state_after, step.actor, step.reason, step.changed_at) for step in ticket.changes] == [
        ("confirmed", "ana", "the label says decaf", MORNING + 1),
        ("done", "ben", "the listing is corrected", MORNING + 2),
    ]
    assert ticket.closed_at == MORNING + 2
    assert show_ticket(ledger, ticket_id) == ticket


@pytest.mark.parametrize(("actor", "reason"), [("", "so"), ("ana", ""), (" \t", "so"), ("ana", " \n")], ids=repr)
def test_nobody_and_no_reason_change_nothing(ledger: Engine, actor: str, reason: str) -> None:
    after(ledger, a_listing())
    with pytest.raises(TicketChangeError, match="by somebody and for a reason"):
        set_state(ledger, the_ticket(ledger).ticket_id, "confirmed", actor=actor, reason=reason, at=MORNING)
    assert the_ticket(ledger).state == "open"


def test_two_people_at_once_take_one_step(ledger: Engine) -> None:
    after(ledger, a_listing())
    refused: list[str] = []

    def confirm() -> None:
        try:
            move(ledger, "confirmed")
        except TicketChangeError as error:
            refused.append(str(error))

    threads = [threading.Thread(target=confirm) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(refused) == 3
    assert len(the_ticket(ledger).changes) == 1


@pytest.mark.parametrize("unknown", ["no-such-ticket", "", "a\x00b", "\ud800"], ids=repr)
def test_an_unknown_ticket_is_said_to_be_unknown(ledger: Engine, unknown: str) -> None:
    asking: tuple[Callable[[], Ticket], ...] = (
        lambda: show_ticket(ledger, unknown),
        lambda: set_state(ledger, unknown, "done", actor="ana", reason="so", at=MORNING),
    )
    for ask in asking:
        with pytest.raises(UnknownTicketError, match="list the tickets"):
            ask()


def test_an_unknown_state_is_refused_with_those_that_there_are(ledger: Engine) -> None:
    after(ledger, a_listing())
    names = "'closed' is no state of a ticket: choose from open, confirmed, done and rejected"
    with pytest.raises(UnknownTicketStateError, match=names):
        set_state(ledger, the_ticket(ledger).ticket_id, "closed", actor="ana", reason="so", at=MORNING)
    with pytest.raises(UnknownTicketStateError, match=names):
        list_tickets(ledger, "closed")


def test_tickets_are_listed_by_state(ledger: Engine) -> None:
    after(ledger, a_listing())
    move(ledger, "confirmed")
    after(ledger, a_listing(), a_fire(), as_of=MORNING + DAY)
    assert [ticket.kind for ticket in list_tickets(ledger)] == ["depot", "listing"]
    assert [ticket.kind for ticket in list_tickets(ledger, "confirmed")] == ["listing"]
    assert list_tickets(ledger, "done") == ()


class TestCorrected:
    def test_only_a_listing_that_is_done_is_corrected(self, ledger: Engine) -> None:
        after(ledger, a_listing())
        for step in ("confirmed", "done"):
            assert corrected_items(ledger, ["decaf"]) == frozenset()
            move(ledger, step)
        assert corrected_items(ledger, ["decaf", "tea"]) == {"decaf"}
        assert corrected_items(ledger, ["tea"]) == frozenset()

    def test_a_rejected_claim_corrects_nothing(self, ledger: Engine) -> None:
        after(ledger, a_listing())
        move(ledger, "rejected")
        assert corrected_items(ledger, ["decaf"]) == frozenset()

    def test_another_cause_that_is_mended_is_no_corrected_listing(self, ledger: Engine) -> None:
        after(ledger, replace(a_fire(), kind="item", cohort={"item_id": "decaf"}))
        move(ledger, "confirmed", "done")
        assert corrected_items(ledger, ["decaf"]) == frozenset()

    def test_a_correction_that_did_not_help_is_none(self, ledger: Engine) -> None:
        after(ledger, a_listing())
        move(ledger, "confirmed", "done")
        after(ledger, a_listing(*lines("L-3", at=MORNING + DAY)), as_of=MORNING + DAY)
        assert corrected_items(ledger, ["decaf"]) == frozenset()


def test_the_order_lines_of_a_playback_ticket_are_those_that_its_sessions_were_bound_to(ledger: Engine) -> None:
    with writing(ledger) as connection:
        write_findings(connection, MORNING, [a_finding("S-1", order_line_id="OL-1"), a_finding("S-2")])
    sessions = tuple(Affected(Subject("session", name), MORNING) for name in ("S-1", "S-2"))
    after(ledger, replace(a_fire(*sessions), kind="cdn", cohort={"cdn": "a"}))
    ticket = the_ticket(ledger)
    assert ticket.order_line_ids == ("OL-1",)
    assert [item.subject.id for item in ticket.lines] == ["S-1", "S-2"]


def test_the_database_knows_the_states_too(ledger: Engine) -> None:
    after(ledger, a_listing())
    for values, constraint in (({"state": "lost"}, "state_known"), ({"state": "done"}, "closed_when_closed")):
        with pytest.raises(IntegrityError, match=constraint), writing(ledger) as connection:
            connection.execute(TICKETS.update().values(values))
    assert the_ticket(ledger).state == "open"


def test_a_ticket_reads_as_a_claim_its_figures_and_its_story(ledger: Engine) -> None:
    after(ledger, replace(a_fire(*lines("L-1", "L-2")), affected_count=50))
    told = move(ledger, "confirmed").as_text()
    assert told.endswith("seen in the warehouse\n")
    assert told.split("\n", 1)[1] == (
        """
  claim       50 of 60 parcels are lost.
  shared      carrier ups
  shared      depot memphis
  failures    wrong item
  figures     50 of 60 failed, 83.3 % (95 %: 71.5 % to 91.7 %)
              10 of 1,940 others, 0.5 %
              161.7 times as often, 95 %: at least 81.4 and at most 358.1 times
              false discovery rate 6.1e-76
  fault       carrier
  customers   2
  to do       Check the brand that the listing names.
  affected    50 in all, of which the latest 2
              order line L-1, 2026-11-22 09:00:00 UTC
              order line L-2, 2026-11-22 09:00:00 UTC
  opened      in the night up to 2026-11-22 09:00:00 UTC, figures up to 2026-11-22 09:00:00 UTC
  confirmed   2026-11-22 09:00:00 UTC by ana: seen in the warehouse
"""
    )


def test_nothing_in_a_ticket_steers_the_terminal(ledger: Engine) -> None:
    nasty = "a\x1b[2J\nb"
    after(ledger, replace(a_fire(*lines(nasty)), cohort={"depot": nasty}, claim=nasty, suggested_action=nasty))
    ticket = the_ticket(ledger)
    told = set_state(ledger, ticket.ticket_id, "rejected", actor=nasty, reason=nasty, at=MORNING).as_text()
    assert "\x1b" not in told
    assert [line for line in told.split("\n") if line.startswith("b")] == []
