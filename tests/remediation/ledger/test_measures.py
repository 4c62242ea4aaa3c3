"""What a ledger can be watched by."""

from sqlalchemy import Engine

from remediation.gateways.errors import SilentError
from remediation.ledger.audit import Author
from remediation.ledger.measures import Runs, read_outbox
from remediation.ledger.run import Objection, Run, RunInput, finish_run, judge_run, start_run
from remediation.remedy import Action
from tests.remediation.ledger.evenings import MORNING, a_remedy, a_run, an_order, owed, record_night, with_orders
from tests.remediation.outbox.senders import Gateway, Mailbox, send

DAY = 86_400_000
COUNTS = {"records": 12, "used": 7, "duplicate": 2, "rejected": 2, "late": 1, "sessions": 3, "findings_slow_start": 2}


def judged(ledger: Engine, run: Run, *objections: Objection) -> None:
    start_run(ledger, run)
    finish_run(ledger, run.run_id, COUNTS, {})
    judge_run(ledger, run.run_id, Author("guards", run.as_of), None, objections)


def test_nights_are_added_up_and_what_is_held_is_told_by_its_guards(ledger: Engine) -> None:
    judged(ledger, a_run(MORNING, RunInput("telemetry", "a", 1_000, "a" * 64, 12)))
    clock, sources = Objection("clock", "It is early."), Objection("sources", "One is missing.")
    judged(ledger, a_run(MORNING + DAY), clock, sources, Objection("sources", "Another is empty."))
    judged(ledger, a_run(MORNING + 2 * DAY), sources)
    start_run(ledger, a_run(MORNING + 3 * DAY))
    judged(ledger, Run(MORNING + 4 * DAY, "a" * 64, "1", (), "stream"))
    with ledger.connect() as connection:
        found = Runs("night").read(connection)
    assert found.runs == {"released": 1, "held": 2, "recording": 1}
    assert found.held == {"clock": 1, "sources": 2}
    assert found.records == {"used": 21, "duplicate": 6, "rejected": 6, "late": 3}
    assert (found.sessions, found.findings, found.bytes) == (9, {"slow_start": 6}, 1_000)
    assert found.newest_as_of == MORNING + 2 * DAY


def test_remedies_are_told_by_state_and_currency_of_their_own_kind_of_run(ledger: Engine) -> None:
    with_orders(ledger, an_order(), an_order("OL-2"), an_order("OL-3", currency="JPY", amount_minor=500))
    record_night(ledger, owed(a_remedy()), owed(a_remedy("OL-2", refund=100)))
    record_night(ledger, owed(a_remedy("OL-3", refund=500, currency="JPY", state="held")), as_of=MORNING + DAY)
    with ledger.connect() as connection:
        assert Runs("night").read(connection).remedies == {
            ("approved", "USD"): (2, 399),
            ("held", "JPY"): (1, 500),
        }
        assert Runs("stream").read(connection).remedies == {}


def test_a_stream_is_counted_from_its_beginning_and_nothing_twice(ledger: Engine) -> None:
    for number in range(3):
        judged(ledger, Run(MORNING + number, "a" * 64, "1", (), "stream"))
    runs = Runs("stream", since=MORNING)
    with ledger.connect() as connection:
        assert runs.read(connection).sessions == 6
        assert runs.read(connection).sessions == 6
    judged(ledger, Run(MORNING + 9, "a" * 64, "1", (), "stream"))
    with ledger.connect() as connection:
        assert runs.read(connection).sessions == 9
        assert runs.read(connection).newest_as_of == MORNING + 9


def test_what_is_due_is_as_old_as_its_hour_and_what_waits_for_somebody_is_not_due(ledger: Engine) -> None:
    with_orders(ledger, an_order(), an_order("OL-2", customer_id="C-2"))
    held = Objection("clock", "It is early.")
    record_night(ledger, owed(a_remedy("OL-2", refund=100, customer_id="C-2")), as_of=MORNING - DAY, objections=[held])
    record_night(ledger, owed(a_remedy(actions=[Action("refund", 299)])))
    with ledger.connect() as connection:
        early, late = read_outbox(connection, MORNING - 1), read_outbox(connection, MORNING)
    assert early.items == {("mail", "approved"): 2, ("refund", "approved"): 2}
    assert early.oldest == {"refund": MORNING}
    assert late.oldest == {"refund": MORNING, "mail": MORNING}
    assert late.refunded == {}


def test_what_nobody_knows_is_told_until_somebody_does(ledger: Engine) -> None:
    def silence() -> None:
        raise SilentError("no answer")

    with_orders(ledger, an_order())
    record_night(ledger, owed(a_remedy()))
    send(ledger, Gateway(after=silence), Mailbox(), MORNING)
    with ledger.connect() as connection:
        unknown = read_outbox(connection, MORNING + DAY)
    assert unknown.items["refund", "unknown"] == 1
    assert unknown.oldest["refund"] == MORNING
    assert unknown.refunded == {}
    send(ledger, Gateway(), Mailbox(), MORNING + DAY // 4)
    with ledger.connect() as connection:
        known = read_outbox(connection, MORNING + DAY)
    assert known.items == {("mail", "sent"): 1, ("refund", "settled"): 1}
    assert (known.oldest, known.refunded) == ({}, {"USD": 299})
