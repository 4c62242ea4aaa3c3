import re
from dataclasses import replace

import pytest
from sqlalchemy import event

from remediation.remedy import Action, Remedy
from remediation.report.explain import explain
from remediation.report.lookup import UnknownIdError
from remediation.report.parcel import MOST_SCANS
from tests.remediation.report.ledgers import RUN, Ledger
from tests.remediation.report.nights import POLICY, STALLS, a_decline, a_finding, a_remedy


def casablanca(ledger: Ledger) -> Remedy:
    """The film that stalled six times, refunded and told."""
    remedy = a_remedy(findings=(a_finding(),))
    ledger.sold(title={"en": "Casablanca", "ja": "カサブランカ"})
    ledger.granted("session-1")
    ledger.decided(remedy, a_finding(), mailed=True)
    ledger.paid(remedy)
    return remedy


def test_a_session_is_explained_from_its_evidence_to_its_money(ledger: Ledger) -> None:
    casablanca(ledger)

    assert ledger.says("session-1") == (
        """\
Asked about session session-1

Order line line-1
  order       order-1, rental, bought 2026-11-21 19:04:31 UTC
  title       Casablanca
  paid        2.99 USD
  approved    2.99 USD in 1 pay-out

Pay-out 1: 2.99 USD
  evidence    Playback stalled: stalled 6 times, 10.9 s in all, longest 2.9 s, of 86.2 s watched
              session session-1, 2026-11-21 20:04:31 to 20:05:52 UTC
              severity 0.72 of 1, fault unknown
  rule        stalls are a failure when their share of the watched time is high, \
when several come close together, or when one is long
"""
        f"  judged by   policy {POLICY}, detector version 1\n"
        f"""\
  amount      refund of 2.99 USD
              Stalls spoilt the film, so its whole price is given back.
  decided     approved in the night up to 22 November 2026, 06:00 UTC, run {RUN.run_id}
  mail        We are sorry (en)
              | We have refunded 2.99 USD.
  outbox      refund: sent and settled, 1 attempt, reference re_1, settled 2026-11-22 12:00:00 UTC
  outbox      mail: approved, not sent yet, not before 2026-11-22 12:00:00 UTC
  booked      2026-11-22 06:00:00 UTC
              debit expense:goodwill_and_refunds 2.99 USD
              credit owed:line-1 2.99 USD
"""
    )


@pytest.mark.parametrize(
    ("known_id", "heading"),
    [
        ("line-1", "Asked about order line line-1"),
        ("order-1", "Asked about order order-1"),
        (a_remedy().remedy_id, f"Asked about remedy {a_remedy().remedy_id}"),
        (a_finding().finding_id, f"Asked about finding {a_finding().finding_id}"),
    ],
    ids=["order line", "order", "remedy", "finding"],
)
def test_every_id_of_a_story_tells_the_same_story(ledger: Ledger, known_id: str, heading: str) -> None:
    casablanca(ledger)

    by_session, by_other = explain(ledger.engine, "session-1"), explain(ledger.engine, known_id)
    assert by_other.heading == heading
    assert by_other.sections == by_session.sections


def test_a_top_up_is_told_after_the_first_pay_out_with_the_figures_of_its_time(ledger: Ledger) -> None:
    first = a_finding(evidence={**STALLS, "stall_count": 2})
    later = a_finding(evidence={**STALLS, "stall_count": 9})
    ledger.sold()
    ledger.decided(a_remedy(amount=100, findings=(first,)), first)
    ledger.decided(a_remedy(amount=199, number=2, findings=(later,)), later, days_later=1)

    text = ledger.says("line-1")
    assert "approved    2.99 USD in 2 pay-outs" in text
    assert text.index("Pay-out 1: 1.00 USD") < text.index("stalled 2 times") < text.index("Pay-out 2: 1.99 USD")
    assert text.index("Pay-out 2") < text.index("stalled 9 times")


def test_a_declined_session_is_told_with_its_reason(ledger: Ledger) -> None:
    ledger.refused(a_decline("session-9"), a_finding("session-9", order_line=None))

    text = ledger.says("session-9")
    assert text.startswith("Asked about session session-9\n\nSession session-9\n  order       bound to no order line\n")
    assert "Without a pay-out\n  evidence    Playback stalled: stalled 6 times" in text
    assert "declined    No order of this customer covers what was watched. (no_order, session session-9)" in text


def test_a_review_waits_for_a_person(ledger: Ledger) -> None:
    ledger.refused(a_decline("session-9", "review", "several_orders", "Two orders cover the film."))

    assert "to review   Two orders cover the film. (several_orders, session session-9)" in ledger.says("session-9")


def test_a_held_remedy_says_why_and_that_nothing_is_sent(ledger: Ledger) -> None:
    ledger.sold()
    ledger.decided(a_remedy(state="held", reason="A second person must agree."))

    text = ledger.says("line-1")
    assert "held        2.99 USD in 1 pay-out" in text
    assert "approved" not in text
    assert "A second person must agree." in text
    assert "decided     held in the night up to" in text
    assert "mail        none is written" in text
    assert "outbox      nothing is to be sent" in text


def test_a_good_session_is_known_by_its_grant(ledger: Ledger) -> None:
    ledger.sold()
    ledger.granted("session-2")

    text = ledger.says("session-2")
    assert "Order line line-1\n  order       order-1" in text
    assert "found       no finding is recorded" in text


def test_a_decision_binds_a_session_more_closely_than_its_grants(ledger: Ledger) -> None:
    casablanca(ledger)
    ledger.sold("line-2")
    ledger.granted("session-1", "line-2")

    assert "line-2" not in ledger.says("session-1")


def test_evidence_that_was_paid_for_is_told_once(ledger: Ledger) -> None:
    claimed = a_finding(order_line=None)
    ledger.sold()
    ledger.decided(a_remedy(findings=(claimed,)), claimed)

    assert ledger.says("session-1").count("stalled 6 times") == 1


def test_an_order_line_that_nobody_sold_is_still_explained(ledger: Ledger) -> None:
    ledger.refused(a_decline("session-9", "review", "no_such_line", "The grant names no order.", order_line="line-9"))

    text = ledger.says("line-9")
    assert "this order line is not among the orders that were read" in text
    assert "The grant names no order." in text


def test_an_id_keeps_its_own_case(ledger: Ledger) -> None:
    ledger.sold("Line-A", order="Order-A")

    assert ledger.says("Order-A").startswith("Asked about order Order-A\n\nOrder line Line-A\n")


def test_an_order_of_two_films_tells_both(ledger: Ledger) -> None:
    ledger.sold("line-1")
    ledger.sold("line-2", title="Metropolis")

    headings = [section.heading for section in explain(ledger.engine, "order-1").sections]
    assert headings == ["Order line line-1", "Order line line-2"]


def test_an_id_that_names_two_things_tells_both(ledger: Ledger) -> None:
    ledger.sold("same")
    ledger.refused(a_decline("same"), a_finding("same", order_line=None))

    explanation = explain(ledger.engine, "same")
    assert explanation.heading == "Asked about order line and session same"
    assert [section.heading for section in explanation.sections] == [
        "Order line same",
        "Session same",
        "Without a pay-out",
    ]


@pytest.mark.parametrize("unknown", ["nobody", "", "x' OR '1'='1", "a\x1b[2J\nb", "%", "a\x00", "\udcff"])
def test_an_unknown_id_says_what_kinds_there_are(ledger: Ledger, unknown: str) -> None:
    casablanca(ledger)

    with pytest.raises(UnknownIdError, match="give the id of a remedy, a finding, an order line, an order") as error:
        ledger.says(unknown)
    assert not set("\x1b\n") & set(str(error.value))


def test_no_name_and_no_address_is_told(ledger: Ledger) -> None:
    remedy = casablanca(ledger)

    for known_id in ("session-1", "line-1", "order-1", remedy.remedy_id):
        text = ledger.says(known_id)
        assert "ilse" not in text.lower()
        assert "customer-1" not in text


def test_hostile_titles_and_reasons_can_not_steer_the_terminal(ledger: Ledger) -> None:
    ledger.sold(title="Casa\x1b]0;x\x07blanca\u202e")
    ledger.decided(a_remedy(reason="because\r\n  paid        nothing\x1b[1A"))

    text = ledger.says("line-1")
    assert not set("\x1b\x07\r\u202e") & set(text)
    assert "\n  paid        nothing" not in text


def test_explaining_only_reads_and_never_asks_who_the_customer_is(ledger: Ledger) -> None:
    casablanca(ledger)
    asked: list[str] = []

    def note(_connection: object, _cursor: object, sql: str, *_: object) -> None:
        asked.append(sql)

    event.listen(ledger.engine, "before_cursor_execute", note)
    ledger.says("session-1")
    event.remove(ledger.engine, "before_cursor_execute", note)
    assert {sql.split()[0] for sql in asked} <= {"BEGIN", "SELECT"}
    assert not [sql for sql in asked if "customers" in sql]


def test_a_refund_that_may_go_at_once_names_no_hour(ledger: Ledger) -> None:
    ledger.sold()
    ledger.decided(a_remedy())

    assert "outbox      refund: approved, not sent yet\n" in ledger.says("line-1")


def test_a_credit_that_nothing_here_can_send_is_left_to_a_person(ledger: Ledger) -> None:
    credit = replace(a_remedy(amount=150), actions=(Action("credit", amount_minor=150),))
    ledger.sold()
    ledger.decided(credit)

    text = ledger.says("line-1")
    assert "amount      credit of 1.50 USD" in text
    assert "outbox      credit: left to a person" in text


def test_a_parcel_is_explained_scan_by_scan(ledger: Ledger) -> None:
    ledger.promised()
    ledger.scanned("in_transit", 0, depot="RENO, NV")
    ledger.scanned("in_transit", 1, tracking_number="USPS-2")
    ledger.scanned("delivery_failed", 5, reason="lost")
    ledger.scanned("delivery_failed", 5, reason="did_not_occur")
    ledger.scanned("delivered", 9, proof="photo", lat=37.8716, lon=-122.2727)
    ledger.heard("not_received", 30, voice="playful", language="en")
    ledger.heard("wrong_item", 31, received_item_id="coffee-regular")

    assert """\
  paid        2.99 USD and 4.99 USD shipping
  promised    2026-11-20, parcel USPS-1 by usps
  found       no finding is recorded

On its way
  scan        2026-11-21 20:04:31 UTC, in transit, at RENO, NV
  scan        2026-11-21 20:09:31 UTC, delivery failed, taken back: this scan never happened
  scan        2026-11-21 20:09:31 UTC, delivery failed, because it is lost
  scan        2026-11-21 20:13:31 UTC, delivered, proof: photo
  contact     2026-11-21 20:34:31 UTC, the customer says: it did not come
  contact     2026-11-21 20:35:31 UTC, the customer says: another item came, item coffee-regular instead
""" in ledger.says("line-1")


def test_a_line_names_the_cause_that_it_shares_with_others(ledger: Ledger) -> None:
    ledger.promised()
    ledger.sold("line-2")
    ledger.blamed("Fifty parcels were lost at one depot.", "order_line", "line-1")

    assert "  cause       Fifty parcels were lost at one depot.\n              open, ticket ticket-1\n" in ledger.says(
        "line-1"
    )
    assert "cause" not in ledger.says("line-2")


def test_a_session_names_its_cause_through_its_order_line(ledger: Ledger) -> None:
    casablanca(ledger)
    ledger.blamed("One CDN failed.", "session", "session-1")

    assert "cause       One CDN failed." in ledger.says("line-1")


def test_where_somebody_lives_is_not_told(ledger: Ledger) -> None:
    ledger.promised()
    ledger.scanned("delivered", 9, lat=37.8716, lon=-122.2727)

    assert not {"37.87", "122.27"} & set(re.findall(r"\d+\.\d\d", ledger.says("line-1")))


def test_goods_that_were_never_sent_have_no_scan(ledger: Ledger) -> None:
    ledger.promised(tracking_number=None, carrier=None, promised_date=None)
    ledger.scanned("delivered", 9)

    text = ledger.says("line-1")
    assert "promised    no day, no tracking number\n" in text
    assert "On its way" not in text


def test_of_a_parcel_that_circles_the_last_scans_are_told(ledger: Ledger) -> None:
    ledger.promised()
    for minute in range(MOST_SCANS + 2):
        ledger.scanned("in_transit", minute)

    text = ledger.says("line-1")
    assert "scans       2 earlier scans in the ledger\n  scan        2026-11-21 20:06:31 UTC" in text
    assert text.count("in transit") == MOST_SCANS


def test_an_exchange_is_told_without_money(ledger: Ledger) -> None:
    exchange = replace(a_remedy(amount=0), actions=(Action("exchange"),))
    ledger.promised()
    ledger.decided(exchange)

    text = ledger.says("line-1")
    assert "Pay-out 1: no money\n" in text
    assert "amount      exchange (the wrong item may be kept)" in text
