"""One night from settings to `Night`: what is missing stops it before anything is written."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Final

import apache_beam as beam
import polars as pl

from detectors import DETECTOR_VERSION
from detectors.finding import Finding
from detectors.playback.rules import PlaybackRules
from detectors.schemas import REJECTS, SESSIONS, complete
from pipelines import graph
from pipelines.engine import planned, run
from pipelines.inputs import database_url, find_book, import_book, read_policy, telemetry_manifest
from pipelines.parts import Parts
from pipelines.remedies import Resolving
from pipelines.sessions import ROWS
from pipelines.settings import NightSettings
from pipelines.sources import Source, find
from remediation.database import open_database, open_order_book
from remediation.ledger.run import Run, finish_run, start_run
from remediation.report.night import Counts, InputFile, Night, RejectRow
from remediation.report.recorded import recorded_declined, recorded_remedies

COUNT_NAMES: Final = ("records", "used", "duplicate", "rejected", "late")


class UnbalancedError(Exception):
    """Records were lost between reading and assessing: nothing that rests on this run may be trusted."""


@dataclass(frozen=True, slots=True)
class Table:
    """The session table with what was not used."""

    sessions: pl.DataFrame
    rejects: tuple[RejectRow, ...]
    counts: Counts
    rows_by_source: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Result:
    """A night, its whole session table and all its findings."""

    night: Night
    table: Table
    findings: tuple[Finding, ...]


def run_sessions(telemetry: Sequence[str], policy_path: str | None, beam_options: Sequence[str] = ()) -> Table:
    """Only the session table.

    Raises:
      SourceError: A source is missing or unreadable.
      PolicyError: The policy file is none.
      UnbalancedError: Records were lost.
    """
    policy, _ = read_policy(policy_path)
    sources = find(telemetry)
    with planned(sources, beam_options) as plan:
        run(partial(_build_table, sources=sources, rules=policy.playback, plan=plan), beam_options)
        return _table(Parts(plan.parts_folder), sources)


def run_night(settings: NightSettings) -> Result:
    """Finds, decides and records one night; sends nothing.

    The same night again writes nothing: `Night.new` is false then.

    Raises:
      SourceError: A source is missing or unreadable.
      PolicyError: The policy file is none.
      DatabaseUnusableError: The ledger or the order book cannot be opened.
      UnbalancedError: Records were lost.
    """
    policy, policy_input = read_policy(settings.policy_path)
    sources = find(settings.telemetry)
    book = find_book(settings.book)
    manifest = telemetry_manifest(sources)
    orders_url = database_url(settings.book)
    if orders_url:
        open_order_book(orders_url).dispose()
    engine = open_database(settings.ledger_url)
    book_inputs, book_rejects = import_book(engine, book)
    this_run = Run(settings.as_of, policy.sha256, DETECTOR_VERSION, (*manifest, *book_inputs, policy_input))
    new = start_run(engine, this_run)
    resolving = Resolving(settings.ledger_url, orders_url, policy, this_run)
    with planned(sources, settings.beam_options) as plan:
        build = partial(graph.night, sources=sources, resolving=resolving, plan=plan)
        run(build, settings.beam_options)
        parts = Parts(plan.parts_folder)
        table = _table(parts, sources)
        findings = tuple(parts.findings())
        recorded = parts.counts().get("recorded", 0)
    kinds = Counter(str(finding.kind) for finding in findings)
    finish_run(engine, this_run.run_id, _summary(table, kinds))
    night = Night(
        run_id=this_run.run_id,
        as_of=settings.as_of,
        policy_sha256=policy.sha256,
        detector_version=DETECTOR_VERSION,
        new=new or recorded > 0,
        counts=table.counts,
        sessions=table.sessions.height,
        flagged_sessions=len({finding.subject for finding in findings}),
        findings_by_kind=dict(kinds),
        remedies=recorded_remedies(engine, this_run.run_id),
        declined=recorded_declined(engine, this_run.run_id),
        rejects=(*table.rejects, *book_rejects),
        inputs=_inputs(this_run, table),
    )
    engine.dispose()
    return Result(night, table, findings)


def _build_table(pipeline: beam.Pipeline, sources: Sequence[Source], rules: PlaybackRules, plan: graph.Plan) -> None:
    graph.sessions_table(pipeline, sources, rules, plan)


def _table(parts: Parts, sources: Sequence[Source]) -> Table:
    counts = parts.counts()
    table = Table(
        sessions=_sessions(parts),
        rejects=_rejects(parts),
        counts=Counts(**{name: counts.get(name, 0) for name in COUNT_NAMES}),
        rows_by_source={source.path: counts.get(f"{ROWS}-{source.number}", 0) for source in sources},
    )
    if not table.counts.balanced:
        raise UnbalancedError(
            f"{table.counts.records} records came in but {table.counts} account for another number; "
            "hold what this run recorded and report this as a defect"
        )
    return table


def _sessions(parts: Parts) -> pl.DataFrame:
    """One table, in an order that does not depend on how the work was split."""
    frames = [complete(frame, SESSIONS) for frame in parts.frames("sessions")]
    return pl.concat([pl.DataFrame(schema=SESSIONS), *frames]).sort("session_id", "started_at")


def _rejects(parts: Parts) -> tuple[RejectRow, ...]:
    """Fields that were left out are counted over a whole source, whatever its blocks."""
    frame = pl.concat([pl.DataFrame(schema=REJECTS), *(complete(part, REJECTS) for part in parts.frames("rejects"))])
    fields = (
        frame.filter(pl.col("scope") == "field")
        .group_by("source", "scope", "code", "field", "reason")
        .agg(pl.col("line").min(), pl.col("offset").min(), pl.col("count").sum())
        .select(REJECTS.names())
    )
    whole = pl.concat([frame.filter(pl.col("scope") != "field"), fields])
    return tuple(RejectRow(**row) for row in whole.sort("source", "offset", "line", "code", "field").to_dicts())


def _summary(table: Table, kinds: Mapping[str, int]) -> Mapping[str, int]:
    """The counts of a run as the ledger keeps them."""
    counts = {name: getattr(table.counts, name) for name in COUNT_NAMES}
    return counts | {"sessions": table.sessions.height} | {f"findings_{kind}": kinds[kind] for kind in sorted(kinds)}


def _inputs(this_run: Run, table: Table) -> tuple[InputFile, ...]:
    return tuple(
        InputFile(item.role, item.name, item.bytes, item.sha256, table.rows_by_source.get(item.name, item.rows))
        for item in this_run.inputs
    )
