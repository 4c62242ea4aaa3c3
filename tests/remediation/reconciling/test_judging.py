from dataclasses import replace

import pytest

from remediation.gateways.refunds import ProviderRefund, RefundStatus
from remediation.money import Money
from remediation.outbox.states import State
from remediation.reconciling.books import Entry
from remediation.reconciling.discrepancies import Kind
from remediation.reconciling.judging import Step, is_concerned, judge, judge_other

OURS, ANOTHER = "re_1", "re_2"
MADE = (RefundStatus.PENDING, RefundStatus.SUCCEEDED)
EVERY_STATE: tuple[State | None, ...] = (None, *State)


def a_refund(reference: str = OURS, status: RefundStatus = RefundStatus.SUCCEEDED, amount: int = 299) -> ProviderRefund:
    return ProviderRefund(reference, "R-1", ("ch_1",), amount, "USD", status, created_at=0)


def an_entry(state: State | None, reference: str | None = None, *, is_by_hand: bool = False) -> Entry:
    return Entry("R-1", "OL-1", state, "OB-1", Money(299, "USD"), reference, is_by_hand)


@pytest.mark.parametrize(
    ("entry", "verdict"),
    [
        pytest.param(an_entry(State.SENDING), Step.ASK, id="an attempt that may have had an effect"),
        pytest.param(an_entry(State.UNKNOWN), Step.ASK, id="nobody knows"),
        pytest.param(an_entry(State.SETTLED, OURS), Step.AGREES, id="settled"),
        pytest.param(an_entry(State.SETTLED, OURS, is_by_hand=True), Step.AGREES, id="written down by a person"),
        pytest.param(an_entry(State.SENT, ANOTHER), Kind.SECOND_REFUND, id="sent under another reference"),
        pytest.param(an_entry(State.SETTLED, ANOTHER), Kind.SECOND_REFUND, id="settled under another reference"),
        pytest.param(an_entry(State.SETTLED, "transfer 17", is_by_hand=True), Kind.SECOND_REFUND, id="paid otherwise"),
        pytest.param(an_entry(State.PROPOSED), Kind.NOT_SENT, id="proposed"),
        pytest.param(an_entry(State.HELD), Kind.NOT_SENT, id="held"),
        pytest.param(an_entry(State.APPROVED), Kind.NOT_SENT, id="approved"),
        pytest.param(an_entry(State.REJECTED), Kind.NOT_OWED, id="rejected"),
        pytest.param(an_entry(State.CANCELLED), Kind.NOT_OWED, id="cancelled"),
        pytest.param(an_entry(None), Kind.NOT_OWED, id="goods alone"),
        pytest.param(an_entry(State.FAILED, OURS), Kind.WITH_A_PERSON, id="failed here and not there"),
        pytest.param(an_entry(State.MANUAL), Kind.WITH_A_PERSON, id="given up here"),
    ],
)
@pytest.mark.parametrize("status", MADE)
def test_a_refund_that_was_made(entry: Entry, verdict: Step | Kind, status: RefundStatus) -> None:
    assert judge(a_refund(status=status), entry) is verdict


def test_a_pending_refund_is_heard_to_have_succeeded_and_not_to_be_pending_still() -> None:
    sent = an_entry(State.SENT, OURS)
    assert judge(a_refund(), sent) is Step.HEAR
    assert judge(a_refund(status=RefundStatus.PENDING), sent) is Step.AGREES


@pytest.mark.parametrize("state", EVERY_STATE)
def test_another_amount_or_currency_is_never_taken_for_the_refund_that_was_owed(state: State | None) -> None:
    entry = an_entry(state, OURS)
    expected = judge(a_refund(), entry)
    if isinstance(expected, Step) or expected is Kind.WITH_A_PERSON:
        expected = Kind.OTHER_AMOUNT
    assert judge(a_refund(amount=298), entry) is expected
    assert judge(replace(a_refund(), currency="EUR"), entry) is expected


@pytest.mark.parametrize("state", EVERY_STATE)
@pytest.mark.parametrize("reference", [OURS, ANOTHER])
def test_a_refund_that_failed_matters_only_where_the_ledger_believes_in_it(state: State | None, reference: str) -> None:
    verdict = judge(a_refund(reference, RefundStatus.FAILED), an_entry(state, OURS))
    if state in {State.SENDING, State.UNKNOWN}:
        assert verdict is Step.ASK
    elif state in {State.SENT, State.SETTLED} and reference == OURS:
        assert verdict is Step.HEAR
    else:
        assert verdict is Step.AGREES


def test_a_refund_that_a_person_wrote_down_and_that_failed_is_that_persons_business() -> None:
    entry = an_entry(State.SETTLED, OURS, is_by_hand=True)
    assert judge(a_refund(status=RefundStatus.FAILED), entry) is Kind.FAILED_BY_HAND
    assert judge_other(a_refund(status=RefundStatus.FAILED), [entry]) is Kind.FAILED_BY_HAND


@pytest.mark.parametrize("status", MADE)
def test_a_refund_without_a_remedy_is_somebody_elses_unless_the_ledger_names_it(status: RefundStatus) -> None:
    refund = a_refund(status=status)
    assert judge_other(refund, []) is Kind.MANUAL_REFUND
    assert judge_other(refund, [an_entry(State.SETTLED, ANOTHER)]) is Kind.MANUAL_REFUND
    named = an_entry(State.SETTLED, OURS, is_by_hand=True)
    assert judge_other(refund, [an_entry(State.APPROVED), named]) is Step.AGREES


def test_somebody_elses_refund_that_failed_concerns_nobody() -> None:
    assert judge_other(a_refund(status=RefundStatus.FAILED), [an_entry(State.APPROVED)]) is Step.AGREES


def test_a_remedy_that_ended_without_money_is_not_concerned_by_other_refunds() -> None:
    without = {state for state in EVERY_STATE if not is_concerned(an_entry(state))}
    assert without == {None, State.REJECTED, State.CANCELLED}
