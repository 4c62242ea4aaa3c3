"""A crash at every single step: before and after each commit, each call of the gateway and of the mailer."""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import pytest
from sqlalchemy import Engine, event

from remediation.gateways.file_mails import FileMailer
from remediation.gateways.file_refunds import FileGateway
from remediation.ledger.postings import unbalanced
from remediation.ledger.tables import POSTINGS
from remediation.notices.envelope import Sender
from tests.remediation.ledger.evenings import MORNING, count
from tests.remediation.outbox.senders import Gateway, Mailbox, approve, send, states

REMEDIES = 2


class Killed(BaseException):
    """The process ends here: no handler for errors may catch it."""


@dataclass
class Fuse:
    """Counts steps, and burns through at one of them."""

    at: int
    step: int = 0

    def tick(self) -> None:
        self.step += 1
        if self.step == self.at:
            raise Killed


@contextmanager
def crashing_commits(ledger: Engine, fuse: Fuse) -> Iterator[None]:
    def before_commit(_connection: object) -> None:
        fuse.tick()

    event.listen(ledger, "commit", before_commit)
    try:
        yield
    finally:
        event.remove(ledger, "commit", before_commit)


def crash_at(step: int, ledger: Engine, gateway: Gateway, mailbox: Mailbox) -> bool:
    """Whether the pass was still running at that step, and so was killed."""
    fuse = Fuse(at=step)
    gateway.before = gateway.after = mailbox.before = mailbox.after = fuse.tick
    try:
        with crashing_commits(ledger, fuse):
            send(ledger, gateway, mailbox, MORNING)
    except Killed:
        return True
    finally:
        gateway.before = gateway.after = mailbox.before = mailbox.after = Fuse(at=0).tick
    return False


def test_after_a_crash_at_any_step_everything_is_sent_once(fresh: Callable[[], Engine]) -> None:
    steps = 0
    while True:
        engine = fresh()
        approve(engine, REMEDIES)
        gateway, mailbox = Gateway(), Mailbox()
        if not crash_at(steps + 1, engine, gateway, mailbox):
            break
        steps += 1
        send(engine, gateway, mailbox, MORNING)
        send(engine, gateway, mailbox, MORNING)
        assert len(gateway.made) == REMEDIES, f"crashed at step {steps}"
        assert len(mailbox.taken) == len({mail.remedy_id for mail, _ in mailbox.taken}) == REMEDIES, steps
        assert set(states(engine)) == {("mail", "sent"), ("refund", "settled")}, steps
        assert count(engine, POSTINGS) == 4 * REMEDIES, steps
        assert unbalanced(engine) == (), steps
    # A refund: claim, two sides of the call, sent, settled. A mail: claim, two sides of the call, sent.
    assert steps >= REMEDIES * 9


def test_a_crash_during_recovery_is_recovered_from(fresh: Callable[[], Engine]) -> None:
    for first in (2, 3, 4, 5):
        for second in range(1, 6):
            engine = fresh()
            approve(engine)
            gateway, mailbox = Gateway(), Mailbox()
            crash_at(first, engine, gateway, mailbox)
            crash_at(second, engine, gateway, mailbox)
            send(engine, gateway, mailbox, MORNING)
            assert (len(gateway.made), len(mailbox.taken)) == (1, 1), (first, second)
            assert states(engine) == [("mail", "sent"), ("refund", "settled")], (first, second)
            assert (count(engine, POSTINGS), unbalanced(engine)) == (4, ()), (first, second)


@pytest.mark.parametrize("call", ["fsync", "replace"])
@pytest.mark.parametrize("nth", range(1, 5))
def test_files_survive_a_crash_while_they_are_written(
    ledger: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, call: str, nth: int
) -> None:
    approve(ledger)
    refunds, mails = tmp_path / "refunds", tmp_path / "mails"
    sender = Sender("Playhouse", "care@example.com", "care@example.com", "example.com")
    fuse = Fuse(at=nth)
    real = getattr(os, call)

    def crash(*arguments: object) -> None:
        fuse.tick()
        real(*arguments)

    with monkeypatch.context() as patch:
        patch.setattr(os, call, crash)
        with suppress(Killed):
            send(ledger, FileGateway(refunds), FileMailer(mails, sender), MORNING)
    send(ledger, FileGateway(refunds), FileMailer(mails, sender), MORNING)
    assert [path.suffix for path in (*refunds.iterdir(), *mails.iterdir())] == [".json", ".eml"]
    assert states(ledger) == [("mail", "sent"), ("refund", "settled")]
