"""Forged beacons: nobody is paid on a player's word alone, and who starves their own line stays within the caps.

`MAKEGOOD_PROVE=release` tries 10,000 sessions of 500 accounts; `-s` prints what came of them.
"""

from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from random import Random
from typing import Final

import pytest
from sqlalchemy import Engine

from remediation.database import open_database
from remediation.policy.load import default_policy
from tests.detectors.playback.reference import Record
from tests.detectors.telemetry.signing import a_ring
from tests.prove.figures import sized, tell
from tests.prove.forging import (
    DAY,
    EVENING,
    HOUR,
    IMPOSSIBLE,
    PLAUSIBLE,
    Account,
    Forge,
    Request,
    Service,
    Visit,
    as_it_is,
    moved,
    plausible,
    renamed,
)
from tests.remediation.policy.stories import a_policy
from tests.support.stores import empty_file

SESSIONS: Final = sized(1_000, 10_000, taste=100)
ACCOUNTS: Final = sized(100, 500, taste=20)
MORNING: Final = EVENING + 12 * HOUR
NIGHTS: Final = sized(36, 180, taste=14)
"""From the 21st of November on: the days in which two months meet are among them."""


def accounts(name: str, count: int, **order: object) -> list[Account]:
    return [Account(f"{name}-{number}", **order) for number in range(count)]  # type: ignore[arg-type]  # an order's figures


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Engine]:
    engine = open_database(empty_file(tmp_path / "ledger.db"))
    yield engine
    engine.dispose()


@pytest.fixture
def genuine() -> Visit:
    """One customer who really had a bad evening, allowed by the service."""
    return Visit(Account("ilsa"), plausible(4_242, "genuine", EVENING + 20 * 60_000), granted_at=EVENING + 19 * 60_000)


def forged(number: int, account: Account, genuine: Visit, random: Random) -> Visit:
    """One forged session: by turns plausible, a copy of a genuine one, or impossible."""
    session_id, at = f"forged-{number}", EVENING + random.randrange(2 * HOUR)
    told = plausible(number, session_id, at)
    match number % 3:
        case 0:
            return Visit(account, random.choice(PLAUSIBLE)(told, random))
        case 1:
            later = random.randrange(1, 3 * HOUR)
            return Visit(
                account, random.sample(copy := renamed(moved(genuine.records, later), session_id), k=len(copy))
            )
        case _:
            return Visit(account, random.choice(IMPOSSIBLE)(told, random))


def test_nobody_is_paid_on_a_players_word_alone(ledger: Engine, genuine: Visit) -> None:
    """Real accounts with real orders, and no playback that the service knows of."""
    random = Random(1)  # noqa: S311 a reproducible attack
    forgers = accounts("forger", ACCOUNTS)
    service = Service(ledger, keys=a_ring())
    service.sells_to([*forgers, genuine.account])
    visits = [forged(number, forgers[number % ACCOUNTS], genuine, random) for number in range(SESSIONS)]
    service.night([genuine, *visits], MORNING)
    paid = service.paid()
    tell(f"forged without a grant: {SESSIONS:,} sessions, {ACCOUNTS} accounts: {dict(paid.states)} remedies")
    assert [customer for customer, _, _ in paid.without_a_person] == ["ilsa"]
    assert paid.states["held"] > ACCOUNTS // 2


def test_a_forged_signature_is_worth_less_than_none(ledger: Engine) -> None:
    """Even beside a real grant: who signs wrongly is not heard at all."""
    service = Service(ledger, keys=a_ring())
    service.sells_to([forger := Account("forger")])
    signed = {"key_id": "k-1", "signature": "0" * 64}
    service.night([Visit(forger, told := plausible(1, "forged"), granted_at=EVENING, also=signed)], MORNING)
    assert service.rejected == {"bad_signature": len(told)}
    assert service.paid().states == {}


def test_a_stranger_cannot_keep_a_customer_waiting(ledger: Engine, genuine: Visit) -> None:
    """Sessions that name somebody else's account and film, and copies of that customer's own visit."""
    random = Random(2)  # noqa: S311 likewise
    service = Service(ledger)
    service.sells_to([genuine.account])
    slander = [forged(number, genuine.account, genuine, random) for number in range(sized(200, 2_000, taste=30))]
    service.night([genuine, *slander], MORNING)
    paid = service.paid()
    tell(f"slandered: {len(slander):,} sessions in one customer's name: {dict(paid.states)}")
    assert paid.without_a_person == [("ilsa", 399, MORNING)]


def a_good_playback(begun: int) -> tuple[Request, ...]:
    """What the CDN saw of somebody whose film ran well: quick answers, and always enough in the buffer."""
    return tuple(Request(begun + second * 1_000, 250, 25_000) for second in range(2, 600, 3))


def a_starved_line(records: list[Record]) -> tuple[Request, ...]:
    """What the CDN saw of somebody whose line was too narrow: an answer under way through every wait."""
    waits = [each.event_time for each in records if each.state == "stalled"]
    return tuple(Request(at - 3_000, 14_000, 2_000) for at in waits)


class TestRealGrants:
    """Who really starts a playback has the service's word for it, and may still lie about how it went."""

    def paid(self, ledger: Engine, kind: str, visits: list[Visit], genuine: Visit) -> list[int]:
        """What the forgers are paid without a person."""
        service = Service(ledger)
        service.sells_to({each.account.line_id: each.account for each in [genuine, *visits]}.values())
        service.night([genuine, *visits], MORNING)
        result = service.paid()
        amounts = [amount for customer, amount, _ in result.without_a_person if customer != "ilsa"]
        tell(
            f"really started, then {kind}: {len(visits):,} sessions; {len(amounts)} paid, "
            f"{sum(amounts) / 100:,.2f} USD; {result.states['held']} held"
        )
        assert ("ilsa", 399, MORNING) in result.without_a_person
        return amounts

    def started(self, number: int, forge: Forge, **more: object) -> Visit:
        random = Random(number)  # noqa: S311 a reproducible attack
        at = EVENING + random.randrange(2 * HOUR)
        told = forge(plausible(number, f"forged-{number}", at), random)
        return Visit(Account(f"forger-{number}"), told, granted_at=at, **more)  # type: ignore[arg-type]  # a visit's parts

    COUNT = sized(100, 1_500, taste=30)

    def test_copies_are_not_paid(self, ledger: Engine, genuine: Visit) -> None:
        copies = [
            replace(self.started(n, as_it_is), records=renamed(moved(genuine.records, 60_000 + n), f"copy-{n}"))
            for n in range(self.COUNT)
        ]
        assert self.paid(ledger, "a copy", copies, genuine) == []

    def test_what_cannot_be_is_not_paid(self, ledger: Engine, genuine: Visit) -> None:
        visits = [self.started(n, IMPOSSIBLE[n % len(IMPOSSIBLE)]) for n in range(self.COUNT)]
        assert self.paid(ledger, "the impossible", visits, genuine) == []

    def test_what_the_log_speaks_against_is_not_paid(self, ledger: Engine, genuine: Visit) -> None:
        visits = [self.started(n, as_it_is) for n in range(self.COUNT)]
        seen = [replace(each, requests=a_good_playback(each.records[0].event_time)) for each in visits]
        assert self.paid(ledger, "a lie beside the CDN's log", seen, genuine) == []

    def test_a_lie_that_nothing_speaks_against_costs_what_was_paid_and_no_more(
        self, ledger: Engine, genuine: Visit
    ) -> None:
        """A grant is the service's word that somebody watched, not how it went: this is what the caps are for."""
        visits = [self.started(n, as_it_is) for n in range(self.COUNT)]
        assert all(amount <= 399 for amount in self.paid(ledger, "a plausible lie", visits, genuine))

    def test_unless_the_policy_asks_for_more_than_a_grant(self, ledger: Engine, genuine: Visit) -> None:
        asking = a_policy(('pays_without_person = "granted"', 'pays_without_person = "corroborated"'))
        service = Service(ledger, asking)
        visits = [self.started(n, as_it_is) for n in range(50)]
        honest = replace(genuine, requests=a_starved_line(genuine.records))
        service.sells_to([each.account for each in (honest, *visits)])
        service.night([honest, *visits], MORNING)
        assert [customer for customer, _, _ in service.paid().without_a_person] == ["ilsa"]


def test_who_starves_their_own_line_stays_within_the_caps(ledger: Engine) -> None:
    """Every evening something really stalls, by every witness there is; a plan, and a new film every other day."""
    service = Service(ledger)
    customers = [f"thrifty-{number}" for number in range(sized(2, 20))]
    for day in range(NIGHTS):
        evening = EVENING + day * DAY
        watched = [Account(each, "plan", "subscription", 2_999) for each in customers]
        watched += [Account(each, f"film-{day}", purchased_at=evening - HOUR) for each in customers if day % 2]
        service.sells_to(watched)
        visits = [
            Visit(
                account,
                told := plausible(day * 100 + number, f"{account.line_id} on {day}", evening + number * 600_000),
                granted_at=evening,
                requests=a_starved_line(told),
            )
            for number, account in enumerate(watched)
        ]
        service.night(visits, evening + 12 * HOUR)
    paid = service.paid()
    tell(f"self-throttling: {len(customers)} customers, {NIGHTS} nights: {dict(paid.states)}")
    limits = default_policy()
    for customer in customers:
        mine = [(as_of, amount) for each, amount, as_of in paid.without_a_person if each == customer]
        months: defaultdict[str, list[int]] = defaultdict(list)
        for as_of, amount in mine:
            months[f"{datetime.fromtimestamp(as_of / 1_000, UTC):%Y-%m}"].append(amount)
        most = max(map(len, months.values()))
        assert most == limits.limits.payouts_per_customer_month, "they are customers, too"
        assert max(map(sum, months.values())) <= limits.currencies["USD"].customer_month
        moments = sorted(as_of for as_of, _ in mine)
        span = limits.trust.payouts.within_days * DAY
        within = [sum(since <= at < since + span for at in moments) for since in moments]
        assert max(within) == limits.trust.payouts.per_customer
    assert Counter(customer for customer, _, _ in paid.without_a_person).keys() == set(customers)
