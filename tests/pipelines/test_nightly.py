"""A night that cannot account for a record is a failed night."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any, BinaryIO, Final

import pytest
from sqlalchemy import select

from detectors.telemetry import decode as decoding
from detectors.telemetry.decode import Decoded
from pipelines import sessions
from pipelines.nightly import UnbalancedError, run_night, run_sessions
from pipelines.settings import NightSettings, OrderBook
from remediation.database import open_ledger
from remediation.ledger.tables import OUTBOX

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
    with pytest.raises(UnbalancedError, match=r"[1-9][0-9]* refunds and mails are held"):
        run_night(settings)
    engine = open_ledger(settings.ledger_url)
    with engine.connect() as connection:
        assert set(connection.scalars(select(OUTBOX.c.state))) == {"held"}
    engine.dispose()
