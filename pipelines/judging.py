"""The end of a run: released, or held with the reasons, before anything of it may be sent."""

from typing import Final

import polars as pl
from sqlalchemy import Engine

from detectors.incidents import Tally
from pipelines.resolving import Resolving
from remediation.guards.figures import Figures, from_json, to_json
from remediation.guards.judge import trips
from remediation.guards.measure import figures_of
from remediation.ledger.audit import Author
from remediation.ledger.control import Mode, control
from remediation.ledger.run import Objection, Run, Standing, judge_run, released_figures, standing
from remediation.policy.model import Policy
from remediation.report.night import Night

ACTOR: Final = "guards"


def judge(  # noqa: PLR0913, PLR0917 - a night is nothing less
    engine: Engine, resolving: Resolving, night: Night, sessions: pl.DataFrame, tally: Tally, now: int
) -> Standing:
    """Asks the guards about a run that has come to its end; one that was judged before stays as it is.

    `sessions` is `schemas.SESSIONS` of the night, `tally` its units and failures,
    `now` the clock in milliseconds since the epoch.
    """
    run = resolving.run
    figures = figures_of(night, sessions, tally)
    against = [*_mode(engine), *_guards(engine, figures, resolving.policy, now)]
    judge_run(engine, run.run_id, Author(ACTOR, now), to_json(figures), against)
    return standing(engine, run.run_id)


def hold(engine: Engine, run: Run, objection: Objection) -> None:
    """Holds a run that has not come to its end as it should."""
    judge_run(engine, run.run_id, Author(ACTOR, run.as_of), None, [objection])


def _guards(engine: Engine, tonight: Figures, policy: Policy, now: int) -> list[Objection]:
    released = map(from_json, released_figures(engine, policy.guards.history.long_nights))
    return [Objection(reading.guard, reading.reason) for reading in trips(tonight, released, policy.guards, now)]


def _mode(engine: Engine) -> list[Objection]:
    """What is found while nothing is sent is not sent later by itself: it may be old by then."""
    with engine.connect() as connection:
        mode = control(connection).mode
    if mode in {Mode.OFF, Mode.SHADOW}:
        return [Objection("mode", f"It was made in mode {mode}: look at it, then release it.")]
    return []
