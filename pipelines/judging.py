"""The end of a run: released, or held with the reasons, before anything of it may be sent."""

import logging
from collections.abc import Iterable, Sequence
from typing import Final

import polars as pl
from sqlalchemy import Engine

from detectors.incidents import Tally
from pipelines.resolving import Resolving
from remediation.guards.figures import Figures, from_json, to_json
from remediation.guards.judge import slice_trips, trips
from remediation.guards.measure import figures_of
from remediation.guards.reading import Reading
from remediation.guards.rules import GuardRules
from remediation.guards.window import Slice, spans
from remediation.ledger.audit import Author
from remediation.ledger.control import Mode, control
from remediation.ledger.run import (
    GUARDS,
    Objection,
    Run,
    Standing,
    judge_run,
    released_figures,
    standing,
    stream_figures,
)
from remediation.report.night import Night

_LOG: Final = logging.getLogger(__name__)


def judge(  # noqa: PLR0913, PLR0917 - a night is nothing less
    engine: Engine, resolving: Resolving, night: Night, sessions: pl.DataFrame, tally: Tally, now: int
) -> Standing:
    """Asks the guards about a run that has come to its end; one that was judged before stays as it is.

    `sessions` is `schemas.SESSIONS` of the night, `tally` its units and failures,
    `now` the clock in milliseconds since the epoch.
    """
    figures = figures_of(night, sessions, tally)
    released = map(from_json, released_figures(engine, resolving.policy.guards.history.long_nights))
    return _judge(engine, resolving, figures, trips(figures, released, resolving.policy.guards, now), now)


def judge_slice(  # noqa: PLR0913, PLR0917 - likewise
    engine: Engine, resolving: Resolving, night: Night, sessions: pl.DataFrame, tally: Tally, now: int
) -> Standing:
    """As `judge`, of a slice of a stream: the guards see the window that ends with it.

    A slice that owes nobody anything has nothing to hold, however quiet its source was.
    """
    figures = figures_of(night, sessions, tally)
    tripped = _tripped(engine, figures, resolving.policy.guards, now) if night.remedies else ()
    return _judge(engine, resolving, figures, tripped, now)


def _tripped(engine: Engine, figures: Figures, guards: GuardRules, now: int) -> Sequence[Reading]:
    """What stands against the window that ends with a slice."""
    kept = stream_figures(engine, spans(figures.as_of, guards.history.long_nights))
    return slice_trips(figures, [Slice(each.released, from_json(each.figures)) for each in kept], guards, now)


def _judge(engine: Engine, resolving: Resolving, figures: Figures, tripped: Iterable[Reading], now: int) -> Standing:
    """Keeps the figures of a run and what stands against it."""
    against = [*_mode(engine), *(Objection(reading.guard, reading.reason) for reading in tripped)]
    judge_run(engine, resolving.run.run_id, Author(GUARDS, now), to_json(figures), against)
    return _told(resolving.run, standing(engine, resolving.run.run_id))


def _told(run: Run, stands: Standing) -> Standing:
    known = {"run_id": run.run_id, "kind": run.kind, "as_of": run.as_of, "state": stands.state}
    _LOG.info("run judged", extra=known)
    for each in stands.objections:
        _LOG.warning("run held", extra=known | {"guard": each.guard, "reason": each.reason})
    return stands


def hold(engine: Engine, run: Run, objection: Objection) -> None:
    """Holds a run that has not come to its end as it should."""
    judge_run(engine, run.run_id, Author(GUARDS, run.as_of), None, [objection])


def _mode(engine: Engine) -> list[Objection]:
    """What is found while nothing is sent is not sent later by itself: it may be old by then."""
    with engine.connect() as connection:
        mode = control(connection).mode
    if mode in {Mode.OFF, Mode.SHADOW}:
        return [Objection("mode", f"It was made in mode {mode}: look at it, then release it.")]
    return []
