"""A run of the nightly job and the manifest of what it read."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from sqlalchemy import Connection, Engine, select, update

from detectors.finding import content_id
from remediation.database import writing
from remediation.ledger.sql import insert_new
from remediation.ledger.tables import OUTBOX, REMEDIES, RUN_INPUTS, RUNS
from remediation.outbox.states import State

Role = Literal["telemetry", "orders", "customers", "grants", "stock", "policy"]


class UnknownRunError(LookupError):
    """A run was to be finished that was never started."""


@dataclass(frozen=True, slots=True)
class RunInput:
    """One file that a run read: its name as given, its size in bytes, its digest and its records."""

    role: Role
    name: str
    bytes: int
    sha256: str
    rows: int


@dataclass(frozen=True, slots=True)
class Run:
    """One night: its moment (milliseconds since the epoch), rules, detectors and inputs."""

    as_of: int
    policy_sha256: str
    detector_version: str
    inputs: tuple[RunInput, ...]

    def __post_init__(self) -> None:
        """Refuses two inputs of one role and name: the manifest could hold only one of them."""
        named = [(item.role, item.name) for item in self.inputs]
        for role, name in named:
            if named.count((role, name)) > 1:
                raise ValueError(f"{role} input {name} is named twice: name each file once, with its folder")

    @property
    def run_id(self) -> str:
        """The same moment, rules and bytes are the same run, wherever the files lie and in whatever order."""
        manifest = sorted(content_id(role=item.role, sha256=item.sha256, bytes=item.bytes) for item in self.inputs)
        return content_id(
            as_of=str(self.as_of),
            policy_sha256=self.policy_sha256,
            detector_version=self.detector_version,
            inputs=tuple(manifest),
        )


def start_run(engine: Engine, run: Run) -> bool:
    """Writes the run and its manifest down; False where this very run stands in the ledger already.

    False does not say that it came to its end: a run that broke off is started
    again, and what it had recorded is not recorded twice.
    """
    with writing(engine) as connection:
        return write_run(connection, run)


def finish_run(engine: Engine, run_id: str, counts: Mapping[str, int], rows: Mapping[str, int]) -> None:
    """Writes the counts of a run and the records of its telemetry files down, once: those of its first pass stay.

    `rows` are records by the name of the telemetry file: how many a file holds is known only once it was read.

    Raises:
      UnknownRunError: No such run was started.
    """
    with writing(engine) as connection:
        present = connection.execute(select(RUNS.c.counts).where(RUNS.c.run_id == run_id).with_for_update()).first()
        if present is None:
            raise UnknownRunError(f"run {run_id} is not in the ledger: start it before it is finished")
        if not present.counts:
            connection.execute(update(RUNS).where(RUNS.c.run_id == run_id).values(counts=dict(counts)))
            of_run = (RUN_INPUTS.c.run_id == run_id) & (RUN_INPUTS.c.role == "telemetry")
            for name, count in rows.items():
                connection.execute(update(RUN_INPUTS).where(of_run & (RUN_INPUTS.c.name == name)).values(rows=count))


def hold_run(engine: Engine, run_id: str) -> int:
    """Holds everything of a run that has not begun to be sent; returns how many rows of the outbox that are."""
    with writing(engine) as connection:
        of_run = select(REMEDIES.c.remedy_id).where(REMEDIES.c.run_id == run_id)
        held = connection.execute(
            update(OUTBOX)
            .where(OUTBOX.c.remedy_id.in_(of_run), OUTBOX.c.state == State.APPROVED)
            .values(state=State.HELD)
            .returning(OUTBOX.c.outbox_id)
        )
        return len(held.all())


def write_run(connection: Connection, run: Run) -> bool:
    """As `start_run`, within the caller's transaction."""
    head = {
        "run_id": run.run_id,
        "as_of": run.as_of,
        "policy_sha256": run.policy_sha256,
        "detector_version": run.detector_version,
        "counts": {},
    }
    if not insert_new(connection, RUNS, [head]):
        return False
    inputs = [
        {
            "run_id": run.run_id,
            "role": item.role,
            "name": item.name,
            "bytes": item.bytes,
            "sha256": item.sha256,
            "rows": item.rows,
        }
        for item in run.inputs
    ]
    insert_new(connection, RUN_INPUTS, inputs)
    return True
