"""A night that cannot account for a record is a failed night."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any, BinaryIO, Final

import pytest

from detectors.telemetry import decode as decoding
from detectors.telemetry.decode import Decoded
from pipelines import sessions
from pipelines.nightly import UnbalancedError, run_night, run_sessions
from pipelines.settings import NightSettings, OrderBook
from remediation.database import open_ledger
from remediation.reviewing.cases import list_cases
from tests.remediation.outbox.senders import Gateway, Mailbox, send

NIGHT: Final = Path(__file__).parents[2] / "fixtures" / "two_currencies"


@pytest.fixture
def _forgetful(monkeypatch: pytest.MonkeyPatch) -> None:
    """A decoder that drops its last event without a word."""

    def decode(stream: BinaryIO, source: str, **options: Any) -> Iterator[Decoded]:
        for block in decoding.decode(stream, source, **options):
            yield replace(block, events=block.events.head(-1))

    monkeypatch.setattr(sessions, "decode", decode)


@pytest.mark.usefixtures("_forgetful")
def test_a_lost_record_fails_the_table() -> None:
    with pytest.raises(UnbalancedError, match="report this as a defect"):
        run_sessions([str(NIGHT / "telemetry")])


@pytest.mark.usefixtures("_forgetful")
def test_a_lost_record_holds_everything_that_the_night_recorded(tmp_path: Path) -> None:
    settings = NightSettings(
        telemetry=(str(NIGHT / "telemetry"),),
        book=OrderBook(*((str(NIGHT / f"{name}.jsonl"),) for name in ("orders", "customers", "grants"))),
        ledger_url=f"sqlite:///{tmp_path / 'ledger.db'}",
        as_of=1_795_327_200_000,
        policy_path=None,
        out=None,
    )
    with pytest.raises(UnbalancedError, match="nothing of this run is sent"):
        run_night(settings)
    engine = open_ledger(settings.ledger_url)
    (held,) = [case for case in list_cases(engine) if case.what == "run"]
    assert (held.state, "do not add up" in held.reason) == ("held", True)
    gateway = Gateway()
    send(engine, gateway, Mailbox(), settings.as_of)
    assert gateway.made == []
    engine.dispose()
