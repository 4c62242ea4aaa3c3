"""The playback standard: each kind of failure, its condition and its severity, in one table."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import polars as pl

from detectors import DETECTOR_VERSION
from detectors.finding import Finding, PlaybackKind, Scalar, Subject
from detectors.playback.provenance import provenances
from detectors.playback.rules import PlaybackRules
from detectors.schemas import SESSIONS_WITH_EVIDENCE

_FIGURES: Final = ("watched_ms", "quality_score", "worst_window_score")
_STALL_FIGURES: Final = ("stall_count", "stall_ms", "longest_stall_ms", "long_stall_count", "worst_window_stall_count")

_SLIGHT: Final = 0.3  # a start that is slow but not very slow
_BROKEN_OFF: Final = 0.8  # a film that failed after it had begun
_POOR: Final = 0.6  # low all the time
_TINY: Final = 1e-9


@dataclass(frozen=True, slots=True)
class Standard:
    """One kind of failure over the columns of `schemas.SESSIONS_WITH_EVIDENCE`.

    `when` is true for a failing session; null, where a figure is unknown, is no
    failure. `severity` is 0 (at the threshold) to 1 (nothing worked), and no better
    figure ever raises it. `since` and `until` are on the session's clock;
    `figures` are the columns on which the finding rests.
    """

    kind: PlaybackKind
    when: pl.Expr
    severity: pl.Expr
    fault: pl.Expr
    since: pl.Expr
    until: pl.Expr
    figures: tuple[str, ...]


def standards(rules: PlaybackRules) -> tuple[Standard, ...]:
    """Every kind of failure under these figures."""
    return (_stalls(rules), _slow_start(rules), _failed(rules), _low_quality(rules), _slow_seeks(rules))


def judge(sessions: pl.DataFrame, rules: PlaybackRules) -> pl.Series:
    """The kinds of failure of each session, in the order of `standards`: a `failures` column.

    Args:
      sessions: `schemas.SESSIONS_WITH_EVIDENCE`; its `failures` are not read.
      rules: the playback standard.
    """
    all_standards = standards(rules)
    marks = [pl.when(standard.when).then(1 << place).otherwise(0) for place, standard in enumerate(all_standards)]
    # Few of the combinations occur, so that each is written once and looked up by its marks.
    combinations = pl.Series(
        "failures",
        [
            [standard.kind for place, standard in enumerate(all_standards) if combination >> place & 1]
            for combination in range(1 << len(all_standards))
        ],
        dtype=pl.List(pl.String),
    )
    return combinations.gather(sessions.select(pl.sum_horizontal(marks)).to_series())


def findings(sessions: pl.DataFrame, rules: PlaybackRules) -> Iterator[Finding]:
    """A finding for each kind of failure of each session id, by session id and kind.

    A session id that fell silent and came back has several rows; the worst
    of them speaks for it, since a finding is named by its session and kind.

    Args:
      sessions: `schemas.SESSIONS_WITH_EVIDENCE` under the same rules.
      rules: the playback standard.
    """
    failing = sessions.filter(pl.col("failures").list.len() > 0)
    spoken = provenances(failing)
    for standard in standards(rules):
        worst = (
            failing.filter(standard.when)
            .with_columns(
                _severity=standard.severity.round(4),
                _fault=standard.fault,
                _since=standard.since + pl.col("clock_skew_ms"),
                _until=standard.until + pl.col("clock_skew_ms"),
            )
            .sort("session_id", "_severity", "started_at", descending=[False, True, False])
            .unique("session_id", keep="first", maintain_order=True)
        )
        for row in worst.iter_rows(named=True):
            yield Finding(
                kind=standard.kind,
                subject=Subject("session", row["session_id"]),
                severity=row["_severity"],
                occurred_from=row["_since"],
                occurred_to=row["_until"],
                evidence={name: row[name] for name in (*standard.figures, *_FIGURES)},
                fault=row["_fault"],
                detector_version=DETECTOR_VERSION,
                customer_id=row["customer_id"],
                content_id=row["content_id"],
                provenance=spoken[row["session_id"]].of(standard.kind),
            )


def again(
    kind: PlaybackKind, figures: Sequence[Mapping[str, Scalar]], rules: PlaybackRules
) -> list[tuple[bool, float | None]]:
    """What the standard of one kind says of figures that findings have kept: whether they fail it, and how gravely.

    Args:
      kind: The kind of failure that was found.
      figures: The evidence of each finding; a figure that is missing is unknown, and fails nothing.
      rules: The playback standard.
    """
    standard = next(each for each in standards(rules) if each.kind == kind)
    asked = sorted({*standard.when.meta.root_names(), *standard.severity.meta.root_names()})
    columns = {name: SESSIONS_WITH_EVIDENCE[name] for name in asked}
    frame = pl.DataFrame([{name: each.get(name) for name in asked} for each in figures], schema=columns)
    judged = frame.select(fails=standard.when.fill_null(value=False), severity=standard.severity.round(4))
    return [(fails, severity) for fails, severity in judged.iter_rows()]


def _stalls(rules: PlaybackRules) -> Standard:
    """A share of the watched time, a burst, or one long stall: the count matters as much as the share."""
    figures = rules.stalls
    enough = pl.col("stall_ms") >= figures.bad_ratio_min_stall_ms
    share = pl.when(enough).then(pl.col("stall_ms") / pl.col("watched_ms")).otherwise(0.0)
    share_excess = pl.when(share >= figures.bad_ratio).then(_excess(share, figures.bad_ratio)).otherwise(0.0)
    count, longest = pl.col("worst_window_stall_count"), pl.col("longest_stall_ms")
    return Standard(
        kind="playback_stalls",
        when=(enough & (share >= figures.bad_ratio))
        | (count >= figures.burst_count)
        | (longest >= figures.long_stall_ms),
        severity=pl.max_horizontal(
            share_excess, _excess(count, figures.burst_count), _excess(longest, figures.long_stall_ms)
        ),
        fault=_blame(otherwise=_device()),
        since=pl.coalesce("first_fault_at", "started_at"),
        until=pl.coalesce("last_fault_at", "ended_at"),
        figures=_STALL_FIGURES,
    )


def _slow_start(rules: PlaybackRules) -> Standard:
    """Slight up to `very_slow_ms`, then ever graver."""
    wait, figures = pl.col("startup_ms"), rules.start
    slight = _SLIGHT * (wait - figures.slow_ms) / max(figures.very_slow_ms - figures.slow_ms, 1)
    return Standard(
        kind="slow_start",
        when=wait >= figures.slow_ms,
        severity=pl.when(wait < figures.very_slow_ms)
        .then(slight)
        .otherwise(_SLIGHT + (1 - _SLIGHT) * _excess(wait, figures.very_slow_ms)),
        fault=_blame(),
        since=pl.col("started_at"),
        until=pl.min_horizontal(pl.col("started_at") + wait, "ended_at"),
        figures=("startup_ms",),
    )


def _failed(rules: PlaybackRules) -> Standard:
    """No picture at all is the gravest; a film that broke off had at least begun."""
    given_up = pl.col("exit_before_start") & (pl.col("watched_ms") >= rules.failure.abandoned_ms)
    return Standard(
        kind="playback_failed",
        when=pl.col("failed") | given_up,
        severity=pl.when(pl.col("played_ms") > 0).then(_BROKEN_OFF).otherwise(1.0),
        fault=_blame(),
        since=pl.coalesce("failed_at", "started_at"),
        until=pl.col("ended_at"),
        figures=("failed", "exit_before_start", "played_ms", "error_code", "server_error_count"),
    )


def _low_quality(rules: PlaybackRules) -> Standard:
    """A picture far below the promise for most of the time; a poor picture is still a picture."""
    figures = rules.picture
    share = pl.col("low_picture_ms") / pl.col("judged_picture_ms")
    return Standard(
        kind="low_quality",
        when=(pl.col("judged_picture_ms") >= max(figures.min_play_ms, 1)) & (share >= figures.share_of_play),
        severity=_POOR * (share - figures.share_of_play) / max(1 - figures.share_of_play, _TINY),
        fault=_blame(),
        since=pl.col("started_at"),
        until=pl.col("ended_at"),
        figures=(
            "low_picture_ms",
            "judged_picture_ms",
            "mean_bitrate_kbps",
            "top_bitrate_kbps",
            "mean_height",
            "player_height",
        ),
    )


def _slow_seeks(rules: PlaybackRules) -> Standard:
    """What the viewer's own seeking does not excuse."""
    wait = pl.col("stall_after_seek_ms")
    return Standard(
        kind="slow_seeks",
        when=(wait >= rules.seeks.slow_ms) & (wait > 0),
        severity=_excess(wait, rules.seeks.slow_ms),
        fault=_blame(),
        since=pl.coalesce("first_fault_at", "started_at"),
        until=pl.coalesce("last_fault_at", "ended_at"),
        figures=("seek_count", "seek_wait_ms", "stall_after_seek_ms"),
    )


def _excess(figure: pl.Expr, threshold: float) -> pl.Expr:
    """0 at the threshold or below, a half at twice of it, towards 1 beyond."""
    return (1 - threshold / figure.clip(lower_bound=max(threshold, _TINY))).clip(0, 1)


def _blame(otherwise: pl.Expr | None = None) -> pl.Expr:
    """The first rungs of DOMAIN 2.5's ladder; who else it was is for whoever sees many sessions at once."""
    rest = pl.lit("unknown") if otherwise is None else otherwise
    return pl.when(pl.col("server_error_count") > 0).then(pl.lit("cdn")).otherwise(rest)


def _device() -> pl.Expr:
    """Most of the stalls began with enough in the buffer: the picture was there and was not decoded."""
    most = 2 * pl.col("device_stall_count") > pl.col("stall_count")
    return pl.when(most).then(pl.lit("device")).otherwise(pl.lit("unknown"))
