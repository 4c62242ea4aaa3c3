"""The session kernel: a partition of playback events in, one row a session out, by columns throughout."""

from dataclasses import dataclass

import polars as pl

from detectors import schemas
from detectors.playback.failures import judge
from detectors.playback.provenance import with_provenance
from detectors.playback.records import select
from detectors.playback.rules import PlaybackRules
from detectors.playback.table import table
from detectors.playback.timeline import follow


@dataclass(frozen=True, slots=True)
class Sessionized:
    """Session rows (`schemas.SESSIONS_WITH_EVIDENCE`) by id and start, and the records that are in none of them.

    Records in = sum of `events` + `duplicate` + `late`.
    """

    sessions: pl.DataFrame
    duplicate: int
    late: int


def sessionize(events: pl.DataFrame, rules: PlaybackRules) -> Sessionized:
    """Every session of a partition, with its figures, scores and failures.

    The result depends neither on the order nor on the repetition of the events, nor
    on what else is in the partition, as long as all events of a session are.

    Args:
      events: `schemas.EVENTS`; a column that is null throughout may be left out, and
        text columns may be categorical.
      rules: the playback standard.
    """
    nothing = pl.DataFrame(schema=schemas.SESSIONS_WITH_EVIDENCE)
    if events.is_empty():
        return Sessionized(sessions=nothing, duplicate=0, late=0)
    records = select(events, rules.timeline)
    if not records.row.size:
        return Sessionized(sessions=nothing, duplicate=records.duplicate, late=records.late)
    course = follow(records, rules.timeline)
    sessions = table(records, course, rules)
    sessions = sessions.with_columns(judge(sessions, rules))
    sessions = with_provenance(sessions, records, course, rules.timeline)
    return Sessionized(sessions=sessions, duplicate=records.duplicate, late=records.late)
