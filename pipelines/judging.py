"""The end of a run: released, or held with the reasons, before anything of it may be sent."""

from typing import Final

from sqlalchemy import Engine

from pipelines.resolving import Resolving
from remediation.ledger.audit import Author
from remediation.ledger.control import Mode, control
from remediation.ledger.run import Objection, Run, Standing, judge_run, standing
from remediation.report.night import Night

ACTOR: Final = "guards"


def judge(engine: Engine, resolving: Resolving, night: Night, now: int) -> Standing:
    """Asks the guards about a run that has come to its end; one that was judged before stays as it is."""
    run = resolving.run
    judge_run(engine, run.run_id, Author(ACTOR, now), None, mode_objections(engine))
    return standing(engine, run.run_id)


def hold(engine: Engine, run: Run, objection: Objection) -> None:
    """Holds a run that has not come to its end as it should."""
    judge_run(engine, run.run_id, Author(ACTOR, run.as_of), None, [objection])


def mode_objections(engine: Engine) -> list[Objection]:
    """What is found while nothing is sent is not sent later by itself: it may be old by then."""
    with engine.connect() as connection:
        mode = control(connection).mode
    if mode in {Mode.OFF, Mode.SHADOW}:
        return [Objection("mode", f"It was made in mode {mode}: look at it, then release it.")]
    return []
