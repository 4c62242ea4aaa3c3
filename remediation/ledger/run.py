"""A run of the nightly job and the manifest of what it read."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Final, Literal

from sqlalchemy import Connection, Engine, Row, or_, select, update

from detectors.finding import content_id
from remediation.database import writing
from remediation.ledger.audit import Author, Change, note
from remediation.ledger.sql import insert_new
from remediation.ledger.tables import RUN_INPUTS, RUNS

Role = Literal["telemetry", "orders", "customers", "grants", "stock", "policy", "keys"]
RunKind = Literal["night", "stream"]

RECORDING: Final = "recording"
"""The state of a run that has not come to its end: nothing of it is sent, however it ended."""
GUARDS: Final = "guards"
"""Who judges a run at its end, as the audit log names them."""
HELD: Final = "held"
RELEASED: Final = "released"
WITHDRAWN: Final = "withdrawn"


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
class Objection:
    """What stands against releasing a run: the guard's name and its reason in a sentence."""

    guard: str
    reason: str


@dataclass(frozen=True, slots=True)
class Standing:
    """How a run stands: its state, and what the guards said at its end."""

    state: str
    objections: tuple[Objection, ...]


@dataclass(frozen=True, slots=True)
class Run:
    """One night, or one slice of a stream: its moment (milliseconds since the epoch), rules, detectors and inputs."""

    as_of: int
    policy_sha256: str
    detector_version: str
    inputs: tuple[RunInput, ...]
    kind: RunKind = "night"

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
        if not _present(connection, run_id).counts:
            connection.execute(update(RUNS).where(RUNS.c.run_id == run_id).values(counts=dict(counts)))
            of_run = (RUN_INPUTS.c.run_id == run_id) & (RUN_INPUTS.c.role == "telemetry")
            for name, count in rows.items():
                connection.execute(update(RUN_INPUTS).where(of_run & (RUN_INPUTS.c.name == name)).values(rows=count))


def judge_run(engine: Engine, run_id: str, author: Author, figures: object, objections: Sequence[Objection]) -> str:
    """Releases a run, or holds it where something stands against it; returns the state in which it is from now on.

    A run is judged once: the same night again leaves it in its state, whatever the
    guards would say today. `figures` are kept as JSON for the guards of later runs.

    Raises:
      UnknownRunError: No such run was started.
    """
    with writing(engine) as connection:
        present = _present(connection, run_id)
        if present.state != RECORDING:
            return str(present.state)
        state = HELD if objections else RELEASED
        trips = [asdict(objection) for objection in objections]
        values = {"state": state, "figures": figures, "trips": trips}
        connection.execute(update(RUNS).where(RUNS.c.run_id == run_id).values(values))
        reason = " ".join(objection.reason for objection in objections) or "no guard stands against it"
        note(connection, author, [Change("run", run_id, RECORDING, state, reason)])
    return state


def standing(engine: Engine, run_id: str) -> Standing:
    """The state of a run, and what stood against releasing it.

    Raises:
      UnknownRunError: No such run was started.
    """
    with engine.connect() as connection:
        present = _present(connection, run_id)
    return Standing(present.state, tuple(Objection(**trip) for trip in present.trips or ()))


def released_figures(engine: Engine, nights: int) -> tuple[object, ...]:
    """The figures of the last so many released nights, oldest first.

    What was held or withdrawn teaches nothing: else a storm would become the new normal.
    """
    query = (
        select(RUNS.c.figures)
        .where(RUNS.c.kind == "night", RUNS.c.state == RELEASED, RUNS.c.figures.is_not(None))
        .order_by(RUNS.c.as_of.desc(), RUNS.c.run_id.desc())
        .limit(nights)
    )
    with engine.connect() as connection:
        return tuple(reversed(connection.scalars(query).all()))


@dataclass(frozen=True, slots=True)
class JudgedNight:
    """What was kept of one night: its run, its moment, whether it was released or held, and its figures."""

    run_id: str
    as_of: int
    released: bool
    figures: object


def judged_nights(engine: Engine, until: int, most: int) -> tuple[JudgedNight, ...]:
    """The nights with a moment up to `until` that were judged and not withdrawn: the last `most`, oldest first."""
    query = (
        select(RUNS.c.run_id, RUNS.c.as_of, RUNS.c.state, RUNS.c.figures)
        .where(RUNS.c.kind == "night", RUNS.c.state.in_((RELEASED, HELD)))
        .where(RUNS.c.as_of <= until, RUNS.c.figures.is_not(None))
        .order_by(RUNS.c.as_of.desc(), RUNS.c.run_id.desc())
        .limit(most)
    )
    with engine.connect() as connection:
        found = connection.execute(query).all()
    return tuple(JudgedNight(row.run_id, row.as_of, row.state == RELEASED, row.figures) for row in reversed(found))


@dataclass(frozen=True, slots=True)
class SliceFigures:
    """What was kept of one slice of a stream: its moment, whether it was released, and its figures."""

    as_of: int
    released: bool
    figures: object


def stream_figures(engine: Engine, spans: Sequence[tuple[int, int]]) -> tuple[SliceFigures, ...]:
    """The slices of streams that were judged with a moment in any of `spans`, the oldest first.

    A span is what is after its first and up to its second moment.
    """
    inside = or_(*((RUNS.c.as_of > since) & (RUNS.c.as_of <= until) for since, until in spans))
    query = (
        select(RUNS.c.as_of, RUNS.c.state, RUNS.c.figures)
        .where(RUNS.c.kind == "stream", inside, RUNS.c.figures.is_not(None))
        .order_by(RUNS.c.as_of, RUNS.c.run_id)
    )
    with engine.connect() as connection:
        return tuple(SliceFigures(row.as_of, row.state == RELEASED, row.figures) for row in connection.execute(query))


def _present(connection: Connection, run_id: str) -> Row[tuple[object, ...]]:
    present = connection.execute(select(RUNS).where(RUNS.c.run_id == run_id)).first()
    if present is None:
        raise UnknownRunError(f"run {run_id} is not in the ledger: start it before it is finished")
    return present


def write_run(connection: Connection, run: Run) -> bool:
    """As `start_run`, within the caller's transaction."""
    head = {
        "run_id": run.run_id,
        "as_of": run.as_of,
        "policy_sha256": run.policy_sha256,
        "detector_version": run.detector_version,
        "counts": {},
        "kind": run.kind,
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
