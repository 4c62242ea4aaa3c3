"""A person's word on a whole run that the guards hold: released, or withdrawn as if it had never been made."""

from sqlalchemy import Connection, Engine, Row, select, update

from remediation.database import writing
from remediation.ledger.audit import Author, Change, note
from remediation.ledger.run import HELD, RECORDING, RELEASED, WITHDRAWN
from remediation.ledger.tables import REMEDIES, RUNS
from remediation.reviewing.verdicts import ReviewError, call_off, given, write_verdict


def release(engine: Engine, run_id: str, author: Author, reason: str) -> None:
    """Lets a run be sent that the guards hold, or that broke off before its end; a single held remedy stays held.

    Raises:
      ReviewError: There is no such run, it is released or withdrawn already, or no reason is given.
    """
    why = given(reason)
    with writing(engine) as connection:
        row = _undecided(connection, run_id)
        _decide(connection, row, RELEASED, author, why)


def withdraw(engine: Engine, run_id: str, author: Author, reason: str) -> int:
    """Takes a run back of which nothing was sent; returns how many remedies ended with it.

    The same failures may be found again, and made good, by a later run: that is how
    a night is made once more after its telemetry was mended.

    Raises:
      ReviewError: As `release`.
    """
    why = given(reason)
    with writing(engine) as connection:
        row = _undecided(connection, run_id)
        of_run = select(REMEDIES).where(REMEDIES.c.run_id == run_id, REMEDIES.c.state.in_(("held", "approved")))
        remedies = connection.execute(of_run.order_by(REMEDIES.c.remedy_id)).all()
        for remedy in remedies:
            call_off(connection, remedy, "withdrawn", author, f"its run was withdrawn: {why}")
        _decide(connection, row, WITHDRAWN, author, why)
    return len(remedies)


def _undecided(connection: Connection, run_id: str) -> Row[tuple[object, ...]]:
    row = connection.execute(select(RUNS).where(RUNS.c.run_id == run_id)).first()
    if row is None:
        raise ReviewError(f"there is no run {run_id}: see makegood review list")
    if row.state not in {HELD, RECORDING}:
        raise ReviewError(f"run {run_id} is {row.state} already")
    return row


def _decide(connection: Connection, row: Row[tuple[object, ...]], state: str, author: Author, why: str) -> None:
    connection.execute(update(RUNS).where(RUNS.c.run_id == row.run_id).values(state=state))
    write_verdict(connection, "run", row.run_id, "approved" if state == RELEASED else "rejected", author, why)
    note(connection, author, [Change("run", row.run_id, row.state, state, why)])
