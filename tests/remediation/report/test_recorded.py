from remediation.report.recorded import recorded_declined, recorded_remedies, recorded_tickets
from tests.remediation.report.ledgers import RUN, Ledger
from tests.remediation.report.nights import MORNING, STALLS, a_decline, a_finding, a_mail, a_remedy


def test_a_run_is_read_back_with_evidence_title_and_mail(ledger: Ledger) -> None:
    finding = a_finding()
    remedy = a_remedy(findings=(finding,))
    ledger.sold(title={"en": "Casablanca", "ja": "カサブランカ"})
    ledger.decided(remedy, finding, mailed=True)

    (row,) = recorded_remedies(ledger.engine, RUN.run_id)
    assert (row.remedy, row.findings, row.title, row.mail) == (remedy, (finding,), "Casablanca", a_mail(remedy))


def test_the_evidence_is_that_of_the_decision_and_not_of_later_data(ledger: Ledger) -> None:
    first, later = a_finding(), a_finding(evidence={**STALLS, "stall_count": 9})
    ledger.sold()
    ledger.decided(a_remedy(amount=100, findings=(first,)), first)
    ledger.decided(a_remedy(amount=199, number=2, findings=(later,)), later, days_later=1)

    (row,) = recorded_remedies(ledger.engine, RUN.run_id)
    assert row.remedy.number == 1
    assert row.findings == (first,)


def test_what_was_declined_is_read_back(ledger: Ledger) -> None:
    ledger.refused(a_decline())

    assert recorded_declined(ledger.engine, RUN.run_id) == (a_decline(),)


def test_another_run_has_nothing(ledger: Ledger) -> None:
    ledger.sold()
    ledger.decided(a_remedy())

    assert recorded_remedies(ledger.engine, "another") == ()
    assert recorded_declined(ledger.engine, "another") == ()


def test_a_night_has_the_tickets_whose_figures_are_of_its_time(ledger: Ledger) -> None:
    ledger.blamed("Fifty parcels were lost at one depot.", "order_line", "line-1")

    (ticket,) = recorded_tickets(ledger.engine, MORNING)
    assert (ticket.claim, ticket.order_line_ids) == ("Fifty parcels were lost at one depot.", ("line-1",))
    assert recorded_tickets(ledger.engine, MORNING + 1) == ()
