"""Nights of the past, one after another: what a night decides rests on the nights before it."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import date

from sqlalchemy import Engine, func, select

from pipelines.beginning import Tell, begin_night, prepare
from pipelines.dating import Moment
from pipelines.failures import sentence
from pipelines.nightly import NIGHTS, Result, settle_night
from pipelines.settings import NightSettings
from remediation.database import open_database
from remediation.ledger.run import RECORDING, Objection, standing
from remediation.ledger.tables import REMEDIES, RUNS
from remediation.locks import IsHeld, held
from remediation.money import Money
from remediation.spans import span

SettingsOf = Callable[[Moment], NightSettings]
Write = Callable[[Result, NightSettings], None]


class NightFailedError(Exception):
    """A night could not be brought to its end, so that none after it was begun."""


@dataclass(frozen=True, slots=True)
class Filled:
    """One night as the ledger holds it; `was_settled` says that it was there before. `paid` are approved refunds."""

    day: date
    was_settled: bool
    state: str
    objections: tuple[Objection, ...]
    records: int
    sessions: int
    findings: int
    remedies: int
    paid: tuple[Money, ...]


def backfill(
    moments: Iterable[Moment], ledger_url: str, settings_of: SettingsOf, write: Write, tell: Tell
) -> Iterator[Filled]:
    """Runs nights in their order and gives each one once it is settled; no other night can come in between.

    A night that the ledger holds as settled is not run again: it would change
    nothing. So whatever breaks off can be started again with the same words.

    Raises:
      BusyError: Another night is running on this ledger.
      DatabaseUnusableError: The ledger cannot be opened.
      NightFailedError: A night failed.
    """
    engine = open_database(ledger_url)
    try:
        with held(engine, NIGHTS) as is_held:
            for moment in moments:
                try:
                    with span("night"):
                        filled = _fill(moment, engine, is_held, settings_of, write, tell)
                except Exception as error:
                    raise NightFailedError(
                        f"the night of {moment.day} failed: {sentence(error)}. "
                        "The same command again goes on with this night"
                    ) from error
                yield filled
    finally:
        engine.dispose()


def _fill(  # noqa: PLR0913, PLR0917 - the loop's own words
    moment: Moment, engine: Engine, is_held: IsHeld, settings_of: SettingsOf, write: Write, tell: Tell
) -> Filled:
    settings = settings_of(moment)
    begun = begin_night(prepare(settings), engine, tell)
    run_id = begun.resolving.run.run_id
    was_settled = not begun.is_new and standing(engine, run_id).state != RECORDING
    if not was_settled:
        write(settle_night(begun, engine, is_held, tell), settings)
    return _as_held(moment.day, engine, run_id, was_settled=was_settled)


def _as_held(day: date, engine: Engine, run_id: str, *, was_settled: bool) -> Filled:
    stands = standing(engine, run_id)
    sums = select(REMEDIES.c.state, REMEDIES.c.currency, func.count(), func.sum(REMEDIES.c.amount))
    by = (REMEDIES.c.state, REMEDIES.c.currency)
    with engine.connect() as connection:
        counts = connection.scalars(select(RUNS.c.counts).where(RUNS.c.run_id == run_id)).one()
        rows = connection.execute(sums.where(REMEDIES.c.run_id == run_id).group_by(*by).order_by(*by)).all()
    return Filled(
        day,
        was_settled,
        stands.state,
        stands.objections,
        records=counts.get("records", 0),
        sessions=counts.get("sessions", 0),
        findings=sum(count for name, count in counts.items() if name.startswith("findings_")),
        remedies=sum(count for _, _, count, _ in rows),
        paid=tuple(Money(int(minor), currency) for state, currency, _, minor in rows if state == "approved" and minor),
    )
