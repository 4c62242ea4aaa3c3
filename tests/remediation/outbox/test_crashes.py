"""A crash while files are written. Those at every other step are in `tests/prove/test_crashes.py`."""

import os
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import pytest
from sqlalchemy import Engine

from remediation.gateways.file_mails import FileMailer
from remediation.gateways.file_refunds import FileGateway
from remediation.notices.envelope import Sender
from tests.remediation.ledger.evenings import MORNING
from tests.remediation.outbox.senders import approve, send, states


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
