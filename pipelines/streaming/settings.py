"""What `makegood stream` was told, and what follows from it before anything runs."""

from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Final

from sqlalchemy import Engine, select

from detectors import DETECTOR_VERSION
from pipelines.inputs import database_url, find_book, import_book, read_holdout, read_keys, read_policy
from pipelines.resolving import Resolving
from pipelines.settings import OrderBook, UsageError
from pipelines.streaming.closing import Patience
from pipelines.streaming.settling import RESUME
from pipelines.streaming.slices import Slices, Stream
from remediation.canonical import sha256_of
from remediation.database import open_database, open_order_book
from remediation.ledger.policies import keep_policy
from remediation.ledger.run import RECORDING, Run, RunInput
from remediation.ledger.tables import RUN_INPUTS, RUNS
from remediation.policy.model import Policy
from remediation.report.night import RejectRow

PARTITIONS: Final = 2
"""One works off more than half of what a reader gives, and each costs some round trips to the engine a tick."""


@dataclass(frozen=True, slots=True)
class StreamSettings:
    """One stream. Times are milliseconds; `until` is since the epoch and null for a stream that goes on."""

    source: str
    book: OrderBook
    ledger_url: str
    policy_path: str | None
    beacon_keys: str | None
    out: Path | None
    tick_ms: int
    slice_ms: int
    wide_ms: int
    lateness_ms: int
    until: int | None
    partitions: int = PARTITIONS
    holdout_key: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class Prepared:
    """A stream that may begin: how it runs, and the rows of the order book that cannot be used.

    It reads again from `since` on, in ms since the epoch; null is from its beginning.
    """

    stream: Stream
    since: int | None
    rejects: tuple[RejectRow, ...]


def prepare(settings: StreamSettings) -> Prepared:
    """Opens the ledger, imports the order book, and finds out where this stream was.

    Raises:
      UsageError: Two times do not fit together, or the policy holds customers out and no key says which.
      SourceError: A file is missing or unreadable.
      PolicyError: The policy file is none.
      KeyRingError: The file of beacon keys is none.
      DatabaseUnusableError: The ledger or the order book cannot be opened.
    """
    _demand_multiples(settings)
    policy, policy_input = read_policy(settings.policy_path)
    keys, key_inputs = read_keys(settings.beacon_keys)
    holdout, holdout_inputs = read_holdout(policy, settings.holdout_key)
    book = find_book(settings.book)
    engine = open_database(settings.ledger_url)
    orders_url = database_url(settings.book)
    if orders_url:
        open_order_book(orders_url).dispose()
    _, rejects = import_book(engine, book)
    keep_policy(engine, policy)
    own = RunInput("telemetry", settings.source, 0, sha256_of(settings.source), 0)
    run = Run(0, policy.sha256, DETECTOR_VERSION, (own, policy_input, *key_inputs, *holdout_inputs), "stream")
    stream = _stream(settings, Resolving(settings.ledger_url, orders_url, policy, run, keys, holdout), policy)
    settled, since = _where(engine, own)
    engine.dispose()
    return Prepared(replace(stream, settled=settled), since, rejects)


def _stream(settings: StreamSettings, resolving: Resolving, policy: Policy) -> Stream:
    offset = 0 if settings.until is None else settings.until % settings.wide_ms
    return Stream(
        resolving=resolving,
        patience=Patience.of(policy.playback.timeline, settings.lateness_ms, settings.tick_ms),
        slices=Slices(settings.slice_ms, offset),
        wide=Slices(settings.wide_ms, offset),
        partitions=settings.partitions,
        until=settings.until,
        out=str(settings.out) if settings.out else None,
    )


def _where(engine: Engine, source: RunInput) -> tuple[int, int | None]:
    """The end of the last slice of this source that was judged, and what must be read again after it."""
    query = (
        select(RUNS.c.as_of, RUNS.c.counts)
        .join(RUN_INPUTS, RUN_INPUTS.c.run_id == RUNS.c.run_id)
        .where(RUNS.c.kind == "stream", RUNS.c.state != RECORDING, RUN_INPUTS.c.sha256 == source.sha256)
        .order_by(RUNS.c.as_of.desc())
        .limit(1)
    )
    with engine.connect() as connection:
        last = connection.execute(query).first()
    return (0, None) if last is None else (last.as_of, last.counts[RESUME])


def _demand_multiples(settings: StreamSettings) -> None:
    for name, length in (("--slice", settings.slice_ms), ("--causes", settings.wide_ms)):
        part = settings.tick_ms if name == "--slice" else settings.slice_ms
        if length % part:
            raise UsageError(f"{name} {length / 1000:g} s must be a whole multiple of {part / 1000:g} s")
