"""What the word of each failing session is worth: columns beside its figures, and a `Provenance` beside its findings.

Few sessions fail, and only their word is asked for money, so that the others are not
looked at.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
import polars as pl

from detectors import schemas
from detectors.finding import PlaybackKind, Provenance
from detectors.playback.fingerprints import fingerprints
from detectors.playback.groups import Bools, Groups, Ints
from detectors.playback.possible import doubts
from detectors.playback.records import Records
from detectors.playback.rules import Timeline
from detectors.playback.timeline import Course, among
from detectors.playback.windows import WATCHED
from detectors.playback.witnesses import verdicts

_VERDICTS: Final = ("corroborated", "contradicted")
_COLUMNS: Final = ("received_at", "attested_ms", "signed", *_VERDICTS, "doubts", "fingerprints")


def with_provenance(sessions: pl.DataFrame, records: Records, course: Course, rules: Timeline) -> pl.DataFrame:
    """The session rows with what their word is worth, null where nothing failed.

    Args:
      sessions: `schemas.SESSIONS_WITH_EVIDENCE`, one row for each session row of the records.
      records: As `records.select` orders them.
      course: What their timelines came to.
      rules: `sleep_gap_ms` is used.
    """
    failing = (sessions["failures"].list.len() > 0).arg_true().to_numpy().astype(np.int64)
    if not failing.size:
        return sessions
    told = _provenance(records, course, failing, rules).with_columns(
        sessions["failures"].gather(failing), pl.Series("row", failing)
    )
    # Of what did not fail, nobody asks whether it is borne out.
    of_failures = (pl.col(name).list.set_intersection("failures").list.sort() for name in _VERDICTS)
    every = pl.DataFrame({"row": np.arange(sessions.height)})
    known = every.join(told.with_columns(of_failures), on="row", how="left", maintain_order="left")
    return sessions.with_columns(known.select(_COLUMNS).get_columns())


def _provenance(records: Records, course: Course, failing: Ints, rules: Timeline) -> pl.DataFrame:
    own = course.of(failing)
    record, owned = records.sessions.rows(failing)
    close = among(own.mode, WATCHED) & (own.counted_ms <= rules.sleep_gap_ms)
    log = verdicts(records, record, owned, own)
    columns = [
        _received_at(records, record, owned),
        pl.Series("attested_ms", own.sessions.sum(np.where(close, own.counted_ms, 0))),
        pl.Series("signed", _signed(records, own)),
        _named("corroborated", log.corroborated if log else {}, failing.size),
        _named("contradicted", log.contradicted if log else {}, failing.size),
        _named("doubts", doubts(records, record, owned, own), failing.size),
        fingerprints(own),
    ]
    return schemas.complete(pl.DataFrame(columns), {name: schemas.SESSION_EVIDENCE[name] for name in _COLUMNS})


def _received_at(records: Records, record: Ints, sessions: Groups) -> pl.Series:
    if not records.has("received_at"):
        return pl.Series("received_at", [None] * sessions.count, dtype=pl.Int64)
    arrived = records.frame["received_at"].gather(records.row[record]).fill_null(-1).to_numpy()
    last = pl.Series("received_at", sessions.greatest(arrived, -1))
    return last.set(last < 0, None)


def _signed(records: Records, course: Course) -> Bools:
    if not records.has("signed"):
        return np.zeros(course.sessions.count, np.bool_)
    fits = records.frame["signed"].gather(records.row[course.record]).fill_null(value=False).to_numpy()
    signed: Bools = (course.sessions.sizes() > 0) & (course.sessions.sum(~fits) == 0)
    return signed


def _named(name: str, marks: Mapping[str, Bools], count: int) -> pl.Series:
    """The names of the marks of each session row, sorted."""
    names = sorted(marks)
    combinations = pl.Series(
        [[each for place, each in enumerate(names) if code >> place & 1] for code in range(1 << len(names))],
        dtype=pl.List(pl.String),
    )
    code = sum((marks[each].astype(np.int64) << place for place, each in enumerate(names)), np.zeros(count, np.int64))
    return combinations.gather(code).alias(name)


@dataclass(frozen=True, slots=True)
class Spoken:
    """What one session id said in all, and which of its failures the CDN's access log bears out."""

    word: Provenance
    corroborated: frozenset[str]
    contradicted: bool

    def of(self, kind: PlaybackKind) -> Provenance:
        """What it is worth for one kind of failure; who is contradicted in one is believed in none."""
        if self.contradicted:
            return replace(self.word, corroborated=False)
        return replace(self.word, corroborated=True if kind in self.corroborated else None)


def provenances(failing: pl.DataFrame) -> Mapping[str, Spoken]:
    """What the word of each session id is worth; all rows of a session id speak together.

    Args:
      failing: `schemas.SESSIONS_WITH_EVIDENCE`, of which each row has failures.
    """
    lists = (*_VERDICTS, "doubts", "fingerprints")
    spoken = failing.group_by("session_id").agg(
        (pl.col("started_at") + pl.col("clock_skew_ms")).min(),
        (pl.col("ended_at") + pl.col("clock_skew_ms")).max(),
        pl.col("received_at").max(),
        pl.col("attested_ms").sum(),
        pl.col("signed").fill_null(value=False).all(),
        *(pl.col(name).explode().drop_nulls().unique().sort() for name in lists),
    )
    return {
        row["session_id"]: Spoken(
            Provenance(
                started_at=row["started_at"],
                ended_at=row["ended_at"],
                received_at=row["received_at"],
                attested_ms=row["attested_ms"],
                signed=row["signed"],
                doubts=tuple(row["doubts"]),
                fingerprints=tuple(row["fingerprints"]),
            ),
            corroborated=frozenset(row["corroborated"]),
            contradicted=bool(row["contradicted"]),
        )
        for row in spoken.iter_rows(named=True)
    }
