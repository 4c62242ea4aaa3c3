"""The one loop that sends: refunds, goods and mails differ in what they call, never in how they are kept from doubling.

The intent (`sending`) is committed before anything is called. Whoever finds it
there later does not know whether the call was made, and asks before calling again.
"""

import logging
from collections import Counter
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Final, Protocol

from sqlalchemy import Connection, Engine

from remediation.database import writing
from remediation.durations import HOUR_MS, MINUTE_MS
from remediation.gateways.errors import DeferredError, RefusedError, SilentError, UnusableError
from remediation.ledger.audit import Author
from remediation.outbox.breaker import MAX_ATTEMPTS, Breaker, Pace, rest_ms
from remediation.outbox.claims import Item, advance, claim, may_be_sent, put_off, recover, renew, waiting
from remediation.outbox.states import State
from remediation.spans import Span, span

_LOG: Final = logging.getLogger(__name__)

Clock = Callable[[], int]
"""The moment, in milliseconds since the epoch."""


@dataclass(frozen=True, slots=True)
class Done:
    """What the other side has taken on, under its own reference: `SENT`, `SETTLED`, or `FAILED` after all."""

    reference: str
    state: State = State.SENT


class Errand(Protocol):
    """One kind of thing to be sent. `find` and `do` may raise any of `gateways.errors`."""

    @property
    def kind(self) -> str:
        """The kind of outbox items."""
        ...

    @property
    def gateway(self) -> str:
        """The name under which the gateway's breaker is kept."""
        ...

    @property
    def actor(self) -> str:
        """Who stands in the audit log."""
        ...

    @property
    def repeat_is_safe_ms(self) -> int | None:
        """How long doing it again under the same key is harmless; None for ever."""
        ...

    @property
    def can_ask(self) -> bool:
        """Whether a silent other side may know more later. If not, what is unknown goes to a person at once."""
        ...

    @property
    def settles_later(self) -> bool:
        """Whether what was taken on can still change, so that it is asked for once more (`settling`)."""
        ...

    def find(self, item: Item) -> Done | None:
        """What became of an attempt whose end is not known; None where it certainly had no effect."""
        ...

    def do(self, item: Item) -> Done:
        """Does it."""
        ...

    def done(self, connection: Connection, item: Item, at: int) -> None:
        """What is written down together with `sent`, in the same transaction."""
        ...


@dataclass(frozen=True, slots=True)
class Passed:
    """What became of one kind of item in one pass.

    `later` will be tried again, `waiting` were not begun: their hour, their run,
    their block, their money or the mode keeps them.
    """

    sent: int = 0
    failed: int = 0
    unknown: int = 0
    later: int = 0
    manual: int = 0
    waiting: int = 0


class Worker:
    """One pass over one kind of item."""

    def __init__(
        self, engine: Engine, errand: Errand, clock: Clock, may_go_on: Callable[[], bool], pace: Pace | None = None
    ) -> None:
        self._engine = engine
        self._errand = errand
        self._clock = clock
        self._may_go_on = may_go_on
        self._pace = pace
        self._breaker = Breaker(engine, errand.gateway)
        self._outcomes: Counter[State | str] = Counter()
        self._is_unusable = False

    def run(self) -> Passed:
        """Clears up what an earlier pass left open, then sends what is due until nothing is, or the gateway is down.

        Raises:
          StateChangedError: Another process works on the same item.
        """
        recover(self._engine, self._errand.kind, self._author())
        while self._is_usable() and (item := claim(self._engine, self._errand.kind, self._author())):
            if item.state is State.UNKNOWN or not self._key_is_alive(item):
                self._ask(item)
            else:
                self._do(item)
        return Passed(
            sent=self._outcomes[State.SENT],
            failed=self._outcomes[State.FAILED],
            unknown=self._outcomes[State.UNKNOWN],
            later=self._outcomes["later"],
            manual=self._outcomes[State.MANUAL],
            waiting=waiting(self._engine, self._errand.kind),
        )

    def _is_usable(self) -> bool:
        return not self._is_unusable and not self._breaker.is_open(self._clock()) and self._may_go_on()

    def _ask(self, item: Item) -> None:
        """Finds out what became of it. Only what certainly had no effect is done again."""
        try:
            with self._span("find", item):
                found = self._errand.find(item)
        except SilentError as error:
            if self._errand.can_ask:
                self._silence(item, words(error))
            else:
                self._move(item, State.MANUAL, words(error))
        except DeferredError as error:
            self._later(item, error)
        except (UnusableError, RefusedError) as error:
            self._unusable(item, words(error))
        else:
            self._breaker.succeeded()
            self._answered(item, found)

    def _answered(self, item: Item, found: Done | None) -> None:
        if found:
            self._complete(item, found)
        elif item.state is State.SENDING:
            self._do(self._renewed(item))
        elif not self._key_is_alive(item):
            self._move(item, State.MANUAL, "nothing was found, and the key is too old to try again")
        elif may_be_sent(self._engine, item):
            self._do(item)
        else:
            self._put_off(item, self._clock() + rest_ms(item.attempts), "it may not be sent at present")

    def _do(self, item: Item) -> None:
        if self._pace:
            self._pace.keep()
        try:
            with self._span("send", item) as sending:
                done = self._errand.do(item)
                sending.note(state=str(done.state))
        except RefusedError as error:
            self._breaker.succeeded()
            self._move(item, State.FAILED, words(error))
        except DeferredError as error:
            self._later(item, error)
        except SilentError as error:
            self._silence(item, words(error))
        except UnusableError as error:
            self._unusable(item, words(error))
        else:
            self._breaker.succeeded()
            self._complete(item, done)

    def _complete(self, item: Item, done: Done) -> None:
        """Sent, and written down as such, in one transaction."""
        author = self._author()
        with writing(self._engine) as connection:
            if done.state is State.FAILED:
                advance(connection, item, State.FAILED, author, "the other side took it on and gave it up again")
            else:
                reason = f"taken on as {done.reference}"
                ask_at = author.at + HOUR_MS if self._errand.settles_later else None
                reference = {"provider_reference": done.reference}
                sent = advance(connection, item, State.SENT, author, reason, retry_at=ask_at, **reference)
                self._errand.done(connection, sent, author.at)
                if done.state is State.SETTLED:
                    advance(connection, sent, State.SETTLED, author, "done for good", settled_at=author.at)
        self._outcomes[State.FAILED if done.state is State.FAILED else State.SENT] += 1
        self._tell(item, done.state)

    def _later(self, item: Item, error: DeferredError) -> None:
        """It certainly was not done. One that the other side puts off by name puts off only itself."""
        now = self._clock()
        wait_ms = max(rest_ms(item.attempts), error.retry_after_ms or 0)
        if self._errand.can_ask:
            self._breaker.asked_to_wait(now, error.retry_after_ms or MINUTE_MS)
        self._put_off(item, now + wait_ms, words(error))

    def _silence(self, item: Item, problem: str) -> None:
        self._breaker.failed(self._clock())
        if not self._errand.can_ask:
            self._move(item, State.MANUAL, problem)
            return
        if self._gives_up(item, problem):
            return
        author = self._author()
        retry_at = author.at + rest_ms(item.attempts)
        with writing(self._engine) as connection:
            if item.state is State.UNKNOWN:
                put_off(connection, item, retry_at, problem)
            else:
                advance(connection, item, State.UNKNOWN, author, problem, retry_at=retry_at, problem=problem)
        self._outcomes[State.UNKNOWN] += 1
        self._tell(item, State.UNKNOWN, problem)

    def _unusable(self, item: Item, problem: str) -> None:
        """The set-up is wrong: this item was not done, and no other will be until somebody has mended it."""
        self._is_unusable = True
        self._breaker.failed(self._clock())
        self._put_off(item, self._clock() + rest_ms(item.attempts), problem)

    def _put_off(self, item: Item, retry_at: int, problem: str) -> None:
        if self._gives_up(item, problem):
            return
        with writing(self._engine) as connection:
            put_off(connection, item, retry_at, problem)
        self._outcomes["later"] += 1
        self._tell(item, item.state, problem)

    def _gives_up(self, item: Item, problem: str) -> bool:
        if item.attempts < MAX_ATTEMPTS:
            return False
        self._move(item, State.MANUAL, f"given up after {item.attempts} attempts: {problem}")
        return True

    def _move(self, item: Item, state: State, problem: str) -> None:
        with writing(self._engine) as connection:
            advance(connection, item, state, self._author(), problem, problem=problem)
        self._outcomes[state] += 1
        self._tell(item, state, problem)

    def _span(self, what: str, item: Item) -> AbstractContextManager[Span]:
        """The call itself: how long the other side took, and for which item."""
        known = {"outbox_id": item.outbox_id, "remedy_id": item.remedy_id, "kind": item.kind}
        return span(f"{what} {item.kind}", gateway=self._errand.gateway, attempts=item.attempts, **known)

    def _tell(self, item: Item, state: State, problem: str | None = None) -> None:
        """Once it is written down: what has become of an item, by ids alone."""
        known = {"outbox_id": item.outbox_id, "remedy_id": item.remedy_id, "kind": item.kind, "state": str(state)}
        told = known | {"attempts": item.attempts, "gateway": self._errand.gateway}
        level = logging.WARNING if state in {State.UNKNOWN, State.FAILED, State.MANUAL} else logging.INFO
        _LOG.log(level, "item tried", extra=told | ({"problem": problem} if problem else {}))

    def _key_is_alive(self, item: Item) -> bool:
        lifetime = self._errand.repeat_is_safe_ms
        if lifetime is None:
            return True
        # An age below zero says that a clock was wrong then or is now, so that nobody knows the key's age.
        return item.claimed_at is not None and -HOUR_MS < self._clock() - item.claimed_at < lifetime

    def _renewed(self, item: Item) -> Item:
        """No attempt had an effect, and the other side knows of none either: the key may as well be new."""
        with writing(self._engine) as connection:
            return renew(connection, item, self._clock())

    def _author(self) -> Author:
        return Author(self._errand.actor, self._clock())


def words(error: Exception) -> str:
    """What an error says, and its name where it says nothing: the audit log wants a reason for everything."""
    return str(error) or type(error).__name__
