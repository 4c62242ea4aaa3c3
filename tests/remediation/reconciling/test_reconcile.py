from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest
from sqlalchemy import Engine

from remediation.blocks import unblock
from remediation.gateways.errors import SilentError
from remediation.gateways.refunds import Payout, Receipt
from remediation.ledger.audit import Author, Entry
from remediation.ledger.tables import OUTBOX, POSTINGS
from remediation.outbox.lock import SenderBusyError, sender_lock
from remediation.outbox.worker import Passed
from remediation.reconciling.reconcile import FARTHEST_MS, LOOK_BACK_MS, Reconciled, reconcile
from remediation.remedy import Action
from remediation.reviewing.by_hand import done
from remediation.reviewing.cases import list_cases
from remediation.reviewing.verdicts import approve, reject
from tests.remediation.ledger.evenings import MORNING, rows
from tests.remediation.reconciling.towns import DAY, HOUR, LOST, Town, charge_of
from tests.support.provider import Fault, Kind, Moment, Provider, Status, per_remedy

ADA = Author("person ada", MORNING + 2 * HOUR)
LATER = MORNING + HOUR


@pytest.fixture
def town(ledger: Engine) -> Town:
    return Town(ledger)


def kinds(found: Reconciled) -> list[str]:
    return [str(each.kind) for each in found.discrepancies]


def told(found: Reconciled) -> str:
    (discrepancy,) = found.discrepancies
    return discrepancy.told


def what_changed(town: Town, log: list[Entry]) -> object:
    """What the ledger holds of one refund, but for who wrote it and how often it was tried."""
    items = [{**row, "attempts": 0} for row in rows(town.ledger, OUTBOX)]
    changes = [(entry.before, entry.after, entry.at) for entry in log]
    return items, rows(town.ledger, POSTINGS), changes


@pytest.mark.parametrize("status", [Status.SUCCEEDED, Status.PENDING, Status.FAILED])
def test_a_refund_whose_reply_was_lost_is_completed_as_the_payer_would(
    fresh: Callable[[], Engine], status: Status
) -> None:
    by_payer, by_reconciler = Town(fresh()), Town(fresh())
    for town in (by_payer, by_reconciler):
        town.provider.refunds_become(status)
        (remedy,) = town.owes("OL-1")
        town.provider.script({1: LOST})
        assert town.pays() == Passed(unknown=1)
    by_payer.pays(LATER)
    found = by_reconciler.reconciles(LATER)
    assert (found.completed + found.failed, found.agree, found.discrepancies) == (1, 1, ())
    paid, reconciled = by_payer.story(remedy), by_reconciler.story(remedy)
    assert what_changed(by_reconciler, reconciled) == what_changed(by_payer, paid)
    assert {entry.actor for entry in reconciled if entry.at == LATER} == {"reconciler"}


def test_where_both_agree_nothing_changes(town: Town) -> None:
    town.owes("OL-1", "OL-2")
    town.pays()
    before = rows(town.ledger, OUTBOX), rows(town.ledger, POSTINGS)
    found = town.reconciles()
    assert (found.seen, found.agree, found.discrepancies) == (2, 2, ())
    assert (rows(town.ledger, OUTBOX), rows(town.ledger, POSTINGS)) == before


def test_an_attempt_in_the_middle_of_which_a_payer_died_is_cleared_up(
    town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Killed(BaseException):
        pass

    honest = town.gateway.refund

    def die(payout: Payout) -> Receipt:
        honest(payout)
        raise Killed

    town.owes("OL-1", "OL-2")
    monkeypatch.setattr(town.gateway, "refund", die)
    with pytest.raises(Killed):
        town.pays()
    assert sorted(town.refunds()) == ["approved", "sending"]
    found = town.reconciles()
    assert (found.completed, sorted(town.refunds())) == (1, ["approved", "settled"])


def test_what_the_provider_does_not_have_is_left_to_the_payer(town: Town) -> None:
    town.owes("OL-1")
    town.provider.script({1: Fault(Kind.LOST, Moment.BEFORE)})
    town.pays()
    found = town.reconciles()
    assert (found.seen, found.discrepancies, town.refunds()) == (0, (), ["unknown"])
    assert town.pays(LATER) == Passed(sent=1)
    assert len(town.provider.effects()) == 1


def test_a_pending_refund_settles_or_fails_as_the_list_says(town: Town) -> None:
    town.provider.refunds_become(Status.PENDING)
    town.owes("OL-1", "OL-2", "OL-3")
    town.pays()
    town.moves(Status.SUCCEEDED, 0)
    town.moves(Status.FAILED, 1)
    found = town.reconciles()
    assert (found.settled, found.failed, found.agree) == (1, 1, 3)
    assert sorted(town.refunds()) == ["failed", "sent", "settled"]


def test_a_settled_refund_may_fail_weeks_later(town: Town) -> None:
    town.owes("OL-1")
    town.pays()
    town.moves(Status.FAILED)
    found = town.reconciles(MORNING + LOOK_BACK_MS)
    assert (found.failed, town.refunds()) == (1, ["failed"])


def test_a_second_comparison_finds_nothing_to_do(town: Town) -> None:
    town.provider.refunds_become(Status.PENDING)
    town.owes("OL-1", "OL-2")
    town.provider.script({2: LOST})
    town.pays()
    town.moves(Status.SUCCEEDED, 0)
    town.makes(None)
    first = town.reconciles()
    assert (first.completed, first.settled, first.blocked) == (1, 1, 1)
    ledger = {table.name: rows(town.ledger, table) for table in OUTBOX.metadata.sorted_tables}
    second = town.reconciles(LATER + 1)
    assert (second.completed, second.settled, second.failed, second.blocked) == (0, 0, 0, 0)
    assert kinds(second) == kinds(first) == ["manual_refund"]
    assert {table.name: rows(town.ledger, table) for table in OUTBOX.metadata.sorted_tables} == ledger


def test_a_remedy_that_the_ledger_never_had_is_named(town: Town) -> None:
    town.owes("OL-1")
    remedy_id = "00000000-0000-5000-8000-000000000001"
    reference = town.makes(remedy_id)
    found = town.reconciles()
    assert kinds(found) == ["unknown_remedy", "manual_refund"]
    assert f"refund {reference} (2.99 USD) names remedy {remedy_id}, which this ledger does not know" in (
        found.discrepancies[0].told
    )
    assert town.blocked() == ["OL-1"]


@pytest.mark.parametrize("name", ["R-1", "x" * 500, "\x00", "\x1b[31m\u202e<script>"])
def test_what_is_no_id_of_ours_is_not_repeated(town: Town, name: str) -> None:
    town.owes("OL-1")
    town.pays()
    town.makes(name)
    found = town.reconciles()
    assert kinds(found) == ["unknown_remedy", "manual_refund"]
    assert all(name not in each.told for each in found.discrepancies)


@pytest.mark.parametrize("state", ["approved", "held"])
def test_a_refund_of_a_remedy_that_was_never_sent_stops_it(town: Town, state: str) -> None:
    (remedy,) = town.owes("OL-1", state=state)
    reference = town.makes(remedy.remedy_id)
    found = town.reconciles()
    assert kinds(found) == ["not_sent"]
    assert told(found).startswith(f"refund {reference} (2.99 USD) was made for remedy {remedy.remedy_id}, which is")
    assert f"is {state} here and was never sent: order line OL-1 is blocked" in told(found)
    if state == "held":
        approve(town.ledger, remedy.remedy_id, ADA, "the stall is in the recording")
    assert town.pays(LATER + DAY) == Passed(waiting=1)
    assert len(town.provider.effects()) == 1


def test_a_refund_of_a_remedy_that_was_called_off_is_named(town: Town) -> None:
    (remedy,) = town.owes("OL-1")
    reject(town.ledger, remedy.remedy_id, ADA, "it is a duplicate")
    town.makes(remedy.remedy_id)
    found = town.reconciles()
    assert kinds(found) == ["not_owed"]
    assert f"remedy {remedy.remedy_id}, which is cancelled here" in told(found)


def test_a_refund_of_a_remedy_that_owes_goods_alone_is_named(town: Town) -> None:
    (remedy,) = town.owes("OL-1", actions=[Action("letter")])
    town.makes(remedy.remedy_id)
    found = town.reconciles()
    assert kinds(found) == ["not_owed"]
    assert "which is without a refund here" in told(found)


def test_a_second_refund_is_named_once_and_the_first_one_stays(town: Town) -> None:
    (remedy,) = town.owes("OL-1")
    town.pays()
    second = town.makes(remedy.remedy_id)
    found = town.reconciles()
    assert (kinds(found), found.agree, town.refunds()) == (["second_refund"], 1, ["settled"])
    assert f"refund {second} (2.99 USD) is another one for remedy {remedy.remedy_id}, which re_fake00000001" in (
        told(found)
    )


def test_of_two_refunds_for_an_unknown_one_the_earlier_completes_it(town: Town) -> None:
    (remedy,) = town.owes("OL-1")
    town.provider.script({1: LOST})
    town.pays()
    second = town.makes(remedy.remedy_id)
    found = town.reconciles()
    assert (found.completed, found.agree, kinds(found)) == (1, 1, ["second_refund"])
    assert f"refund {second}" in told(found)
    assert per_remedy(town.provider.effects()) == {remedy.remedy_id: 2}


@pytest.mark.parametrize("is_known", [True, False], ids=["sent", "unknown"])
def test_another_amount_is_named_and_never_taken_for_what_was_owed(town: Town, is_known: bool) -> None:  # noqa: FBT001
    (remedy,) = town.owes("OL-1")
    if is_known:
        town.pays()
    else:
        town.provider.script({1: Fault(Kind.LOST, Moment.BEFORE)})
        town.pays()
    town.makes(remedy.remedy_id, amount=200)
    found = town.reconciles()
    assert kinds(found) == ["other_amount"]
    assert "(2.00 USD)" in told(found)
    assert "which owes 2.99 USD" in told(found)
    assert town.refunds() == ["settled" if is_known else "unknown"]


def test_a_refund_that_was_given_up_here_and_made_after_all_ends_with_the_person(town: Town) -> None:
    (remedy,) = town.owes("OL-1")
    town.provider.script({1: Fault(Kind.LOST, Moment.BEFORE)})
    town.pays()
    assert town.pays(MORNING + DAY) == Passed(manual=1)
    reference = town.makes(remedy.remedy_id)
    found = town.reconciles(MORNING + DAY)
    assert kinds(found) == ["with_a_person"]
    (case,) = list_cases(town.ledger)
    assert f"makegood review done {case.case_id} --reference {reference}" in told(found)
    done(town.ledger, case.case_id, ADA, "the provider made it after all", reference)
    assert town.reconciles(MORNING + 2 * DAY).discrepancies == ()


def test_a_refund_of_ours_on_another_payment_completes_nothing(town: Town) -> None:
    (remedy,) = town.owes("OL-1")
    town.provider.script({1: Fault(Kind.LOST, Moment.BEFORE)})
    town.pays()
    town.sells("OL-2")
    town.makes(remedy.remedy_id, "OL-2")
    found = town.reconciles()
    assert (kinds(found), found.completed, town.refunds()) == (["unclear"], 0, ["unknown"])
    assert "it is listed, and its order line's payment has none" in told(found)


def test_a_persons_own_refund_is_named_until_it_is_written_down(town: Town) -> None:
    town.provider.refunds_become(Status.FAILED)
    town.owes("OL-1")
    town.pays()
    town.provider.refunds_become(Status.SUCCEEDED)
    reference = town.makes(None)
    found = town.reconciles()
    (case,) = list_cases(town.ledger)
    assert f"say so by makegood review done {case.case_id} --reference {reference}, then makegood block" in told(found)
    done(town.ledger, case.case_id, ADA, "refunded again at the provider", reference)
    assert town.reconciles().discrepancies == ()


def test_a_refund_that_a_person_wrote_down_may_fail_as_well(town: Town) -> None:
    town.provider.refunds_become(Status.FAILED)
    town.owes("OL-1")
    town.pays()
    town.provider.refunds_become(Status.SUCCEEDED)
    reference = town.makes(None)
    (case,) = list_cases(town.ledger)
    done(town.ledger, case.case_id, ADA, "refunded again at the provider", reference)
    assert town.reconciles().discrepancies == ()
    town.moves(Status.FAILED)
    found = town.reconciles()
    assert kinds(found) == ["failed_by_hand"]
    assert f"refund {reference} (2.99 USD) has failed, and a person wrote it down" in told(found)


@pytest.mark.parametrize("first", [Status.FAILED, Status.SUCCEEDED], ids=["failed at once", "failed after all"])
def test_what_was_paid_in_another_way_is_not_missing_at_the_provider(town: Town, first: Status) -> None:
    town.provider.refunds_become(first)
    town.owes("OL-1")
    town.pays()
    town.moves(Status.FAILED)
    town.reconciles()
    (case,) = list_cases(town.ledger)
    done(town.ledger, case.case_id, ADA, "paid by the bank", "transfer 17")
    assert town.reconciles().discrepancies == ()


def test_somebody_elses_refund_stops_what_is_not_sent_yet(town: Town) -> None:
    (remedy,) = town.owes("OL-1")
    reference = town.makes(None)
    found = town.reconciles()
    assert (kinds(found), found.blocked, town.blocked()) == (["manual_refund"], 1, ["OL-1"])
    assert told(found).startswith(
        f"refund {reference} (2.99 USD) of payment pi_OL1 or {charge_of('OL-1')} was made by somebody else, and remedy "
        f"{remedy.remedy_id} (approved) is on the same payment: order line OL-1 is blocked; reject the remedy"
    )
    assert town.pays(LATER) == Passed(waiting=1)
    assert len(town.provider.effects()) == 1


def test_what_is_told_of_a_remedy_is_what_it_has_become(town: Town) -> None:
    town.owes("OL-1")
    town.provider.script({1: LOST})
    town.pays()
    town.makes(None, amount=100)
    found = town.reconciles()
    assert (found.completed, kinds(found)) == (1, ["manual_refund"])
    assert "(settled) is on the same payment" in told(found)


def test_somebody_elses_refund_is_known_by_every_name_of_the_payment(town: Town) -> None:
    """The order line names the charge, and an agent refunds the payment intent."""
    town.owes("OL-1")
    town.makes(None)
    town.provider.charge("ch_elsewhere", 1000, payment_intent="pi_elsewhere")
    town.makes(None, "elsewhere")
    found = town.reconciles()
    assert (kinds(found), found.others, town.blocked()) == (["manual_refund"], 1, ["OL-1"])


def test_somebody_elses_refund_before_any_failure_was_found_stops_what_is_found_later(town: Town) -> None:
    town.sells("OL-1", "OL-2")
    town.makes(None, "OL-2")
    found = town.reconciles()
    assert (found.others, found.blocked, found.discrepancies) == (1, 1, ())
    assert town.blocked() == ["OL-2"]


def test_somebody_elses_refund_on_a_payment_that_ours_went_out_on_is_named(town: Town) -> None:
    (remedy,) = town.owes("OL-1")
    town.pays()
    town.makes(None, amount=100)
    found = town.reconciles()
    assert kinds(found) == ["manual_refund"]
    assert f"remedy {remedy.remedy_id} (settled) is on the same payment" in told(found)
    assert "see whether the customer was paid twice" in told(found)


def test_a_person_who_lets_the_line_go_on_is_not_overruled_but_by_another_refund(town: Town) -> None:
    town.owes("OL-1")
    first = town.makes(None, amount=100)
    town.reconciles()
    unblock(town.ledger, "OL-1", "manual_refund", ADA, "that was for another film")
    found = town.reconciles()
    assert (found.others, found.discrepancies, town.blocked()) == (1, (), [])
    second = town.makes(None, amount=101)
    found = town.reconciles()
    assert (found.blocked, town.blocked()) == (1, ["OL-1"])
    assert second in told(found)
    assert first not in told(found)


def test_one_payment_of_several_lines_stops_them_all(town: Town) -> None:
    first, second = town.owes("OL-1 a", "OL-1 b")
    town.makes(None, "OL-1")
    found = town.reconciles()
    assert (kinds(found), found.differ, found.blocked) == (["manual_refund", "manual_refund"], 1, 2)
    assert [remedy.remedy_id in each.told for remedy, each in zip((first, second), found.discrepancies, strict=True)]
    assert town.blocked() == ["OL-1 a", "OL-1 b"]


def test_refunds_on_payments_that_are_not_ours_concern_nobody(town: Town) -> None:
    town.provider.charge("ch_elsewhere", 1000)
    town.makes(None, "elsewhere")
    town.owes("OL-1")
    town.makes(None)
    town.moves(Status.FAILED)
    found = town.reconciles()
    assert (found.seen, found.others, found.discrepancies, town.blocked()) == (2, 2, (), [])


def test_a_refund_that_the_provider_does_not_know_is_missing(town: Town) -> None:
    (remedy,) = town.owes("OL-1")
    town.pays()
    found = reconcile(town.ledger, Town(town.ledger).gateway, lambda: LATER)
    assert kinds(found) == ["missing"]
    assert f"refund re_fake00000001 of remedy {remedy.remedy_id} is settled here" in told(found)


def test_what_is_older_than_the_list_is_not_missed_in_it(town: Town) -> None:
    town.owes("OL-1")
    town.pays()
    elsewhere = Town(town.ledger).gateway
    assert kinds(reconcile(town.ledger, elsewhere, lambda: LATER, since_ms=MORNING)) == ["missing"]
    assert kinds(reconcile(town.ledger, elsewhere, lambda: LATER, since_ms=MORNING + 1)) == []


def test_a_refund_outside_the_lists_window_is_asked_for_before_it_is_called_missing(town: Town) -> None:
    town.provider.advance(-2 * DAY)
    town.owes("OL-1")
    town.pays()
    found = town.reconciles(since_ms=MORNING)
    assert (found.seen, found.discrepancies) == (0, ())


def test_another_account_than_the_one_that_paid_is_told_from_it_soon(
    town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("remediation.reconciling.books.CHUNK_KEYS", 2)
    monkeypatch.setattr("remediation.reconciling.reconcile.MOST_MISSING", 3)
    town.owes(*(f"OL-{number}" for number in range(5)))
    town.pays()
    another = Town(town.ledger)
    found = reconcile(town.ledger, another.gateway, lambda: LATER)
    assert kinds(found) == ["missing"] * 4
    assert "it seems to be another account" in found.discrepancies[-1].told
    assert another.provider.calls() == 1 + 3, "the list, and no more look-ups than that"


def test_the_list_goes_back_to_what_has_not_ended_but_not_for_ever(town: Town) -> None:
    town.provider.refunds_become(Status.PENDING)
    town.owes("OL-1")
    town.pays()
    now = MORNING + LOOK_BACK_MS + DAY
    assert town.reconciles(now).since_ms == MORNING
    assert town.reconciles(MORNING + FARTHEST_MS + 1).since_ms == MORNING + 1
    town.moves(Status.SUCCEEDED)
    town.reconciles(now)
    assert town.reconciles(now).since_ms == MORNING + DAY


def test_a_list_of_several_pages_is_read_to_its_end(town: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("remediation.reconciling.reconcile.PORTION", 2)
    monkeypatch.setattr("remediation.reconciling.books.CHUNK_KEYS", 2)
    monkeypatch.setattr("remediation.gateways.stripe_client.PAGE_SIZE", 2)
    town.owes(*(f"OL-{number}" for number in range(5)))
    town.provider.script({5: LOST})
    town.pays()
    found = town.reconciles()
    assert (found.seen, found.agree, found.completed, found.discrepancies) == (5, 5, 1, ())


def test_a_list_that_breaks_off_leaves_right_what_was_done(town: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("remediation.reconciling.reconcile.PORTION", 2)
    monkeypatch.setattr("remediation.gateways.stripe_client.PAGE_SIZE", 2)
    town.provider.refunds_become(Status.PENDING)
    town.owes(*(f"OL-{number}" for number in range(5)))
    town.pays()
    for nth in range(5):
        town.moves(Status.SUCCEEDED, nth)
    town.provider.script({3: LOST})
    with pytest.raises(SilentError):
        town.reconciles()
    assert sorted(town.refunds()) == ["sent"] + ["settled"] * 4
    found = town.reconciles()
    assert (found.settled, found.agree, found.discrepancies) == (1, 5, ())


def test_one_refund_that_cannot_be_asked_for_keeps_no_other_from_being_compared(town: Town) -> None:
    town.owes("OL-1", "OL-2")
    town.provider.script({1: LOST, 2: LOST})
    town.pays()
    town.provider.script({2: LOST})
    found = town.reconciles()
    assert (found.completed, found.differ, kinds(found)) == (1, 1, ["unclear"])
    assert "No answer from Stripe" in told(found)
    assert town.reconciles().completed == 1


def test_only_one_works_on_a_ledger_at_a_time(town: Town) -> None:
    with sender_lock(town.ledger), pytest.raises(SenderBusyError):
        town.reconciles()
    town.reconciles()


def test_whoever_may_not_send_any_more_stops_comparing(town: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    @contextmanager
    def lock_of_a_server_that_goes_away(_: Engine) -> Iterator[Callable[[], bool]]:
        answers = iter([True])
        yield lambda: next(answers, False)

    monkeypatch.setattr("remediation.reconciling.reconcile.sender_lock", lock_of_a_server_that_goes_away)
    monkeypatch.setattr("remediation.reconciling.reconcile.PORTION", 1)
    town.owes("OL-1", "OL-2")
    town.provider.script({1: LOST, 2: LOST})
    town.pays()
    with pytest.raises(SenderBusyError, match="reconcile again"):
        town.reconciles()
    assert sorted(town.refunds()) == ["settled", "unknown"]


def test_a_provider_through_which_nothing_went_misses_nothing(town: Town) -> None:
    town.owes("OL-1")
    town.pays()
    elsewhere = Town(town.ledger, Provider()).gateway
    elsewhere.name = "another"  # type: ignore[misc]
    assert reconcile(town.ledger, elsewhere, lambda: LATER).discrepancies == ()
