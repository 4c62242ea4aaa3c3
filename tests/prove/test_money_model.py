"""Anything in any order: nights, top-ups, crashes, faults, switches, persons, webhooks, clocks. The oracle judges.

Every rule is something that happens; after each of them the ledger and the world
must be sound and say what the oracle says, and at the end everything is done once,
or with a person.
"""

import sys
from collections.abc import Sequence
from typing import Any, Final

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    rule,
    run_state_machine_as_test,
)

from remediation.durations import HOUR_MS, MINUTE_MS
from remediation.ledger.budgets import Caps
from remediation.ledger.control import Mode
from remediation.remedy import Action
from tests.prove.figures import sized, tell
from tests.prove.persons import PeopledTown
from tests.prove.town import LINES, TOP_UPS
from tests.support.provider import Fault, Kind, Moment, Status


def caps(month: int, day: int, count: int) -> Caps:
    return Caps({"USD": month, "JPY": month}, {"USD": day, "JPY": day}, count)


def actions(kind: str, amount: int) -> list[Action]:
    money, again, other = Action("refund", amount), Action("replacement", service_level="next_day"), Action("exchange")
    return {"money": [money], "money and goods": [money, again], "goods": [other]}[kind]


ACTIONS: Final = st.builds(
    actions, st.sampled_from(["money", "money", "money and goods", "goods"]), st.sampled_from([100, 200, 300])
)
FEW_LINES: Final = st.dictionaries(st.sampled_from(sorted(LINES)), ACTIONS, min_size=1, max_size=3)
ALL_LINES: Final = st.fixed_dictionaries(dict.fromkeys(sorted(LINES), ACTIONS))
A_LINE: Final = st.sampled_from(sorted(LINES))
A_CUSTOMER: Final = st.sampled_from(sorted(set(LINES.values())))
WAITS: Final = st.sampled_from([0, MINUTE_MS, 10 * MINUTE_MS, HOUR_MS, 6 * HOUR_MS, 13 * HOUR_MS, 24 * HOUR_MS])
SKEWS: Final = st.sampled_from([0, 0, 0, 40 * MINUTE_MS, -40 * MINUTE_MS, 30 * HOUR_MS, -30 * HOUR_MS])
KINDS: Final = st.sampled_from([*Kind, Kind.LOST, Kind.RATE_LIMITED, Kind.RATE_LIMITED])
FAULTS: Final = st.lists(st.builds(Fault, KINDS, st.sampled_from(Moment)), max_size=4)
MODES: Final = st.sampled_from([Mode.NORMAL, Mode.NORMAL, Mode.CANARY, Mode.SHADOW, Mode.OFF])
CAPS: Final = st.builds(
    caps, st.sampled_from([200, 500, 9_999]), st.sampled_from([300, 600, 9_999]), st.sampled_from([1, 2, 99])
)
WHICH: Final = st.integers(0, 59)
SELDOM: Final = st.sampled_from([False, False, False, True])
EITHER: Final = st.booleans()
PARTS: Final = sized(4, release=8, taste=1)
"""Each draws anew, so that several processors can share the work."""
EXAMPLES: Final = sized(250, release=1_250, taste=5)
STEPS: Final = sized(50, release=100)


def deed(name: str, *arguments: st.SearchStrategy[Any]) -> st.SearchStrategy[tuple[str, tuple[Any, ...]]]:
    """A method of the town, with what it is given."""
    return st.tuples(st.just(name), st.tuples(*arguments))


OF_THE_PROVIDER: Final = st.one_of(
    deed("refunds_become", st.sampled_from([Status.SUCCEEDED, Status.PENDING])),
    deed("a_refund_moves", WHICH, st.sampled_from([Status.SUCCEEDED, Status.FAILED, Status.CANCELED])),
    deed("an_agent_refunds", A_LINE, st.sampled_from([50, 400])),
)
OF_OPERATORS: Final = st.one_of(
    deed("turn_switch", MODES, st.sampled_from([0, 50, 100])),
    deed("change_policy", CAPS),
    deed("set_clock", SKEWS),
    deed("block_or_unblock", A_LINE),
    deed("suppress_or_allow", A_CUSTOMER),
)
OF_REVIEWERS: Final = st.one_of(
    deed("approve", WHICH),
    deed("reject", WHICH),
    deed("release", WHICH),
    deed("withdraw", WHICH),
    deed("end_by_hand", WHICH),
    deed("drop", WHICH),
)


class MoneyMachine(RuleBasedStateMachine):
    """Draws what happens next: few rules, so that much is sent and what is sent meets with everything else."""

    def __init__(self) -> None:
        super().__init__()
        self.town = PeopledTown(caps(9_999, 9_999, 99))

    @initialize(owed=ALL_LINES, status=st.sampled_from([Status.SUCCEEDED, Status.PENDING]), objected=SELDOM)
    def first_night(self, *, owed: dict[str, Sequence[Action]], status: Status, objected: bool) -> None:
        self.town.refunds_become(status)
        self.town.night(owed, held=False, objected=objected, breaks_off=False)

    @rule(owed=FEW_LINES, held=SELDOM, objected=EITHER, breaks_off=SELDOM)
    def night(self, *, owed: dict[str, Sequence[Action]], held: bool, objected: bool, breaks_off: bool) -> None:
        more = {line: each for line, each in owed.items() if self.town.numbers[line] < TOP_UPS}
        self.town.night(more, held=held, objected=objected, breaks_off=breaks_off)

    @rule(which=WHICH)
    def same_night_again(self, which: int) -> None:
        self.town.same_night_again(which)

    @rule(wait=WAITS, faults=FAULTS)
    def send(self, wait: int, faults: list[Fault]) -> None:
        self.town.wait(wait)
        self.town.send(faults)

    @rule(wait=WAITS, faults=FAULTS, step=st.integers(1, 15))
    def send_and_die(self, wait: int, faults: list[Fault], step: int) -> None:
        self.town.wait(wait)
        self.town.send_and_die(faults, step)

    @rule(faults=FAULTS)
    def a_day_passes(self, faults: list[Fault]) -> None:
        for _ in range(4):
            self.town.wait(6 * HOUR_MS)
            self.town.send(faults)

    @rule(deed=OF_THE_PROVIDER)
    def the_provider_moves(self, deed: tuple[str, tuple[Any, ...]]) -> None:
        self.do(deed)

    @rule(seed=WHICH, forged=SELDOM)
    def webhooks_come(self, *, seed: int, forged: bool) -> None:
        self.town.webhooks_come(seed, forged=forged)

    @rule()
    def somebody_reconciles(self) -> None:
        self.town.reconcile()

    @rule(deed=OF_OPERATORS)
    def an_operator_meddles(self, deed: tuple[str, tuple[Any, ...]]) -> None:
        self.do(deed)

    @rule(deed=OF_REVIEWERS)
    def a_reviewer_decides(self, deed: tuple[str, tuple[Any, ...]]) -> None:
        self.do(deed)

    def do(self, deed: tuple[str, tuple[Any, ...]]) -> None:
        name, arguments = deed
        getattr(self.town, name)(*arguments)

    @invariant()
    def all_is_sound(self) -> None:
        self.town.demand_soundness()

    def teardown(self) -> None:
        if sys.exc_info()[0] is None:  # else something has failed already, and would only be hidden
            self.town.quiet_returns()


@pytest.mark.parametrize("part", range(PARTS))
def test_whatever_happens_in_whatever_order_money_moves_once_and_within_limits(part: int) -> None:
    run_state_machine_as_test(
        MoneyMachine,
        settings=settings(
            max_examples=EXAMPLES,
            stateful_step_count=STEPS,
            deadline=None,
            report_multiple_bugs=False,
            suppress_health_check=list(HealthCheck),
        ),
    )
    tell(f"the money model, part {part + 1} of {PARTS}: {EXAMPLES:,} times up to {STEPS} steps")
