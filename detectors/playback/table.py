"""One row a session: the figures of all parts, with null wherever one is unknown."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np
import polars as pl

from detectors import schemas
from detectors.playback.coefficients import ONE_STALL_MS
from detectors.playback.errors import Errors, errors
from detectors.playback.groups import Bools, Floats, Groups, Ints
from detectors.playback.outcomes import Outcomes, outcomes
from detectors.playback.picture import Picture, Samples, picture, samples
from detectors.playback.quality import Experience, quality_score, recency, stall_weight_ms
from detectors.playback.records import Records
from detectors.playback.rules import PlaybackRules
from detectors.playback.spans import Spans, spans
from detectors.playback.timeline import Course, Mode
from detectors.playback.waits import (
    Waits,
    device_stalls,
    long_stalls,
    seek_count,
    seek_edges,
    stalls,
    waits_after_seeks,
)
from detectors.playback.windows import WATCHED, worst_window_score

_NEVER: Final = 2**62


@dataclass(frozen=True, slots=True)
class _Parts:
    """What the columns are taken from."""

    records: Records
    course: Course
    spans: Spans
    stalls: Waits
    seeks: Ints  # `seek_edges`
    after_seeks: Waits
    errors: Errors
    outcomes: Outcomes
    samples: Samples
    picture: Picture
    startup_ms: Floats  # NaN where unknown


def table(records: Records, course: Course, rules: PlaybackRules) -> pl.DataFrame:
    """`schemas.SESSIONS_WITH_EVIDENCE` without failures and provenance, one row for each session row of the records.

    Times are on the session's own clock; `clock_skew_ms` leads to the server's.
    """
    stretches = spans(course)
    edges = seek_edges(course, rules.timeline.seek_burst_ms)
    reports = errors(records)
    seen = samples(records, course)
    ends = outcomes(course, stretches, reports, rules.failure)
    parts = _Parts(
        records=records,
        course=course,
        spans=stretches,
        stalls=stalls(stretches),
        seeks=edges,
        after_seeks=waits_after_seeks(course, stretches, edges, rules.timeline.seek_grace_ms),
        errors=reports,
        outcomes=ends,
        samples=seen,
        picture=picture(records, course, seen, rules.picture),
        startup_ms=_startup(records, course, stretches, ends.played),
    )
    columns = [*_identity(parts), *_waits(parts, rules), *_ends(parts, rules), *_picture(parts), *_scores(parts)]
    return schemas.complete(pl.DataFrame(columns), schemas.SESSIONS_WITH_EVIDENCE)


def _column(name: str, values: Ints | Floats | Bools, known: Bools | None = None) -> pl.Series:
    """A column that is null where `known` is false and where a float is NaN."""
    column = pl.Series(name, values, nan_to_null=True)
    return column if known is None else column.set(pl.Series(~known), None)


def _columns(known: Bools | None, values: Mapping[str, Ints | Floats | Bools]) -> list[pl.Series]:
    return [_column(name, value, known) for name, value in values.items()]


def _identity(parts: _Parts) -> list[pl.Series]:
    records, on_timeline = parts.records, parts.course.sessions
    told = on_timeline.sizes() > 0
    first = np.where(told, on_timeline.least(parts.course.at, 0), records.sessions.least(records.time, 0))
    last = np.where(told, on_timeline.greatest(parts.course.at, 0), records.sessions.greatest(records.time, 0))
    return [
        records.session_id.alias("session_id"),
        _customer(records),
        records.texts("content_id", _first(records, "content_id")).alias("content_id"),
        *_columns(
            None,
            {
                "started_at": first,
                "ended_at": last,
                "events": records.sessions.sizes(),
                "duplicates": records.duplicates,
                "clock_skew_ms": records.skew_ms,
                "clamped": on_timeline.sum(parts.course.clamped),
            },
        ),
        *(records.texts(name, _last(records, name)).alias(name) for name in schemas.DIMENSIONS),
    ]


def _customer(records: Records) -> pl.Series:
    """Each session's customer; two different ones in a session contradict each other, and so claim nothing."""
    at = _first(records, "customer_id")
    if not records.has("customer_id"):
        return records.texts("customer_id", at).alias("customer_id")
    claims = records.frame["customer_id"].cast(pl.Categorical(pl.Categories.random())).to_physical()
    claim = claims.cast(pl.Int64).fill_null(-1).to_numpy()[records.row]
    least = records.sessions.least(np.where(claim < 0, _NEVER, claim), _NEVER)
    one = least == records.sessions.greatest(claim, -1)
    return records.texts("customer_id", np.where(one, at, -1)).alias("customer_id")


def _first(records: Records, name: str) -> Ints:
    """Each session row's first record with a value of that name, on the timeline where it has one there."""
    if not records.has(name):
        return np.full(records.sessions.count, -1)
    known = records.known(name)
    on_timeline = records.sessions.first(known & records.timeline)
    return np.where(on_timeline >= 0, on_timeline, records.sessions.first(known))


def _last(records: Records, name: str) -> Ints:
    """Each session row's last record with a value of that name; the timeline comes last in its session."""
    if not records.has(name):
        return np.full(records.sessions.count, -1)
    return records.sessions.last(records.known(name))


def _startup(records: Records, course: Course, spans: Spans, played: Bools) -> Floats:
    """The wait for the first picture: measured where states show it, else as the player reported it, NaN if neither.

    A player that had given up reports no start, whatever it says of one.
    """
    starting = spans.sessions.sum((spans.mode == Mode.START) & spans.counts) > 0
    measured = np.where(starting & played, spans.total(Mode.START), np.nan)
    if not records.has("startup_ms"):
        return measured
    at = _first(records, "startup_ms")
    reported = np.where(at >= 0, records.numbers("startup_ms")[at], np.nan)
    return np.where(course.known & (starting | ~played), measured, reported)


def _waits(parts: _Parts, rules: PlaybackRules) -> list[pl.Series]:
    stretches, stalled = parts.spans, parts.stalls
    long_count, worst_count = long_stalls(stalled, rules.stalls)
    return _columns(
        parts.course.known,
        {
            "stall_count": stalled.sessions.sizes(),
            "stall_ms": stalled.sessions.sum(stalled.counted_ms),
            "longest_stall_ms": stalled.sessions.greatest(stalled.counted_ms, 0),
            "long_stall_count": long_count,
            "worst_window_stall_count": worst_count,
            "device_stall_count": device_stalls(parts.records, parts.course, stalled),
            "seek_count": seek_count(parts.course, parts.seeks, rules.timeline.seek_burst_ms),
            "seek_wait_ms": stretches.total(Mode.SEEK),
            "stall_after_seek_ms": parts.after_seeks.sessions.sum(parts.after_seeks.counted_ms),
            "paused_ms": stretches.total(Mode.PAUSE),
            "watched_ms": stretches.total(*WATCHED),
            "played_ms": stretches.total(Mode.PLAY),
        },
    )


def _ends(parts: _Parts, rules: PlaybackRules) -> list[pl.Series]:
    ends = parts.outcomes
    known = ~np.isnan(parts.startup_ms)
    first, last = _faults(parts, rules)
    broken = first != _NEVER
    return [
        _column("startup_ms", np.nan_to_num(parts.startup_ms).astype(np.int64), known),
        *_columns(
            None,
            {
                "failed": ends.failed,
                "exit_before_start": ends.exit_before_start,
                "unfinished": ends.unfinished,
                "stalls_known": parts.course.known,
                "server_error_count": np.bincount(
                    parts.errors.session[parts.errors.server], minlength=ends.failed.size
                ),
            },
        ),
        _column("failed_at", ends.gave_way_at, ends.failed | ends.exit_before_start),
        _column("first_fault_at", first, broken),
        _column("last_fault_at", last, broken),
        parts.records.texts("error_code", _last(parts.records, "error_code")).alias("error_code"),
    ]


def _faults(parts: _Parts, rules: PlaybackRules) -> tuple[Ints, Ints]:
    """When the first fault began and the last one ended, `_NEVER` and its negative where there was none.

    A late start is told of only where nothing went wrong after it: else the times
    would not be those of the stalls that a viewer can check.
    """
    ends, course = parts.outcomes, parts.course
    lost = ends.failed | ends.exit_before_start
    first = np.where(lost, ends.gave_way_at, _NEVER)
    last = np.where(lost, course.sessions.greatest(course.at, -_NEVER), -_NEVER)
    for waits in (parts.stalls, parts.after_seeks):
        first = np.minimum(first, waits.sessions.least(waits.started_at, _NEVER))
        last = np.maximum(last, waits.sessions.greatest(waits.ended_at, -_NEVER))
    starts = np.flatnonzero((parts.spans.mode == Mode.START) & parts.spans.counts)
    waiting = Groups.by(parts.spans.sessions.of[starts], course.known.size)
    late = (first == _NEVER) & (np.nan_to_num(parts.startup_ms) >= rules.start.slow_ms)
    first = np.where(late, waiting.least(parts.spans.started_at[starts], _NEVER), first)
    last = np.where(late, waiting.greatest(parts.spans.ended_at[starts], -_NEVER), last)
    return first, last


def _picture(parts: _Parts) -> list[pl.Series]:
    seen = parts.picture
    return [
        *_columns(
            None,
            {
                "mean_bitrate_kbps": seen.mean_bitrate_kbps,
                "mean_height": seen.mean_height,
                "top_bitrate_kbps": seen.top_bitrate_kbps,
            },
        ),
        _column("player_height", np.nan_to_num(seen.player_height).astype(np.int64), ~np.isnan(seen.player_height)),
        *_columns(parts.course.known, {"low_picture_ms": seen.low_ms, "judged_picture_ms": seen.judged_ms}),
    ]


def _scores(parts: _Parts) -> list[pl.Series]:
    """The score of the whole and of its worst five minutes, which is never the better of the two."""
    stalled, seen, known = parts.stalls, parts.picture, parts.course.known
    stall_ms = stalled.sessions.sum(stalled.counted_ms)
    whole = quality_score(
        Experience(
            played_ms=np.where(known, parts.spans.total(Mode.PLAY), 0.0),
            stall_ms=np.where(known, stall_ms, np.nan),
            stall_load=_load(parts),
            startup_ms=parts.startup_ms,
            picture_loss=seen.mean_loss,
            player_height=seen.player_height,
            frame_rate=seen.frame_rate,
            shown=parts.outcomes.played | ~known,
        )
    )
    window = worst_window_score(parts.course, stalled, parts.samples, seen, parts.startup_ms)
    return _columns(None, {"quality_score": whole, "worst_window_score": np.fmin(window, whole)})


def _load(parts: _Parts) -> Floats:
    """The stalls of each session, weighed by length and by how recent they are at its end."""
    stalled, course = parts.stalls, parts.course
    played = np.where(course.mode == Mode.PLAY, course.counted_ms, 0)
    clock = np.cumsum(played) - played
    end = course.sessions.sum(played)
    end[course.sessions.present] += clock[course.sessions.starts]
    since = (end[stalled.sessions.of] - clock[stalled.row]).astype(np.float64)
    return stalled.sessions.total(stall_weight_ms(stalled.counted_ms) / ONE_STALL_MS * recency(since))
