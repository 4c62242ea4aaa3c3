"""What was on the screen while it moved: bitrate and height over played time, and how much of it was far too low."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Final

import numpy as np

from detectors.playback import rules
from detectors.playback.codecs import codec_gains
from detectors.playback.groups import Bools, Floats, Groups, Ints, taken
from detectors.playback.quality import picture_loss, picture_weight_ms, usual_top_bitrate_kbps
from detectors.playback.records import Records
from detectors.playback.timeline import Course, Mode

_SAID: Final = ("bitrate_kbps", "height", "player_height")


@dataclass(frozen=True, slots=True)
class Samples:
    """Records that say something of the picture, in order of time, each with the play until the next.

    A request or a response says it as well as the timeline: one player names
    the rendition on nothing else. `at` is played time on a clock that runs on from
    session to session; values are carried forward, NaN before a session's first,
    and None where no record of the partition has one.
    """

    sessions: Groups
    at: Ints
    played_ms: Ints
    bitrate_kbps: Floats | None
    height: Floats | None
    player_height: Floats | None


@dataclass(frozen=True, slots=True)
class Picture:
    """By session row, `losses` by sample; NaN where unknown. A loss is what `quality.picture_loss` gives.

    The means are over played time; that of the losses weighs the last moments most.
    Where a player reports no states, they are plain means over its requests, else over
    its timeline: when it played is unknown, what it fetched is not.
    """

    mean_bitrate_kbps: Floats
    mean_height: Floats
    mean_loss: Floats
    losses: Floats
    top_bitrate_kbps: Floats
    player_height: Floats
    frame_rate: Floats
    low_ms: Ints
    judged_ms: Ints


def samples(records: Records, course: Course) -> Samples:
    """The picture over played time, from whatever record tells of it."""
    played = np.where(course.mode == Mode.PLAY, course.counted_ms, 0)
    clock = np.cumsum(played) - played
    ends = course.sessions.sum(played)
    ends[course.sessions.present] += clock[course.sessions.starts]
    figures = [records.numbers(name) for name in _SAID if records.has(name)]
    said = (
        ~np.logical_and.reduce([np.isnan(each) for each in figures])
        if figures
        else np.zeros(records.row.size, np.bool_)
    )
    record, at = _placed(records, course, played, clock, said)
    sessions = Groups.by(records.sessions.of[record], records.sessions.count)
    following = np.append(at[1:], 0)
    following[_tails(sessions)] = ends[sessions.present]
    return Samples(
        sessions,
        at,
        following - at,
        *(_carried(records, record, sessions, name) for name in _SAID),
    )


def picture(records: Records, course: Course, seen: Samples, figures: rules.Picture) -> Picture:
    """What each session saw, and for how long it was far below what title and screen promise.

    Play is judged where bitrate and best rendition are known, or height and the
    player's height: a quarter of a rate for ultra-high definition is still a sharp
    picture, so that a height can speak for a bitrate; 360 rows are little on a
    television and enough on a telephone, so that a height alone proves nothing. The best
    rendition is the highest that was named or fetched. A player that never names it may be
    kept on the lowest for ever, so that there a rate that is low for any title counts, too.
    """
    named = _most(records, "top_bitrate_kbps")
    top = np.fmax(named, _most(records, "bitrate_kbps"))
    floor = np.where(np.isnan(named), figures.low_bitrate_kbps, 0)
    low_ms, judged_ms = _low(seen, np.fmax(figures.low_bitrate_ratio * top, floor), figures)
    screen = _most(records, "player_height")
    best = np.where(np.isnan(named), usual_top_bitrate_kbps(screen, _gains(records, named)), named)
    losses = _losses(seen.sessions, seen.bitrate_kbps, seen.height, best, screen)

    def by_record() -> Floats:
        rate, height = records.numbers("bitrate_kbps"), records.numbers("height")
        return _losses(records.sessions, rate, height, best, screen)

    complete = partial(_completed, records, course)
    played = seen.played_ms.astype(np.float64)
    return Picture(
        mean_bitrate_kbps=complete(
            _mean(seen.sessions, seen.bitrate_kbps, played), partial(records.numbers, "bitrate_kbps")
        ),
        mean_height=complete(_mean(seen.sessions, seen.height, played), partial(records.numbers, "height")),
        mean_loss=complete(_mean(seen.sessions, losses, _weight_ms(seen)), by_record),
        losses=losses,
        top_bitrate_kbps=top,
        player_height=screen,
        frame_rate=_most(records, "frame_rate"),
        low_ms=low_ms,
        judged_ms=judged_ms,
    )


def _placed(records: Records, course: Course, played: Ints, clock: Ints, said: Bools) -> tuple[Ints, Ints]:
    """The marked records in order of played time, and that time; ties by the client's clock, the timeline last."""
    on_timeline = np.flatnonzero(taken(said, course.record))
    record, at = course.record[on_timeline], clock[on_timeline]
    witness = np.flatnonzero(said & ~records.timeline) if record.size < np.count_nonzero(said) else record[:0]
    witness = witness[course.sessions.sizes()[records.sessions.of[witness]] > 0]
    if not witness.size:
        return record, at
    row, reached = _rows_at(course, records.sessions.of[witness], records.time[witness])
    within = np.clip(records.time[witness] - course.at[row], 0, played[row])
    record, at = np.concatenate((witness, record)), np.concatenate((clock[row] + within, at))
    time = np.concatenate((records.time[witness], reached[on_timeline]))
    order = np.lexsort((time, at, records.sessions.of[record]))
    return record[order], at[order]


def _rows_at(course: Course, session: Ints, time: Ints) -> tuple[Ints, Ints]:
    """The row that holds at each time of a session, at least its first, and how far each row's clock had got.

    A clock that was set back must not unsort the rows, so that each is placed where
    the clock had got to.
    """
    low = min(int(course.at.min()), int(time.min()))
    width = max(int(course.at.max()), int(time.max())) - low + 1
    place = np.maximum.accumulate(course.sessions.of * width + (course.at - low))
    row = np.searchsorted(place, session * width + (time - low), side="right") - 1
    first = np.zeros(course.sessions.count, np.int64)
    first[course.sessions.present] = course.sessions.starts
    return np.maximum(row, first[session]), place - course.sessions.of * width + low


def _tails(sessions: Groups) -> Ints:
    return np.append(sessions.starts[1:], sessions.of.size)[: sessions.starts.size] - 1


def _carried(records: Records, record: Ints, sessions: Groups, name: str) -> Floats | None:
    if not records.has(name):
        return None
    values = records.numbers(name)[record]  # which lie in order of played time, not in their own
    known = ~np.isnan(values)
    if known.all():
        return values
    last = sessions.carried(known)
    return np.where(last >= 0, values[last], np.nan)


def _most(records: Records, name: str) -> Floats:
    """The greatest value of each session row, NaN where there is none."""
    most = np.full(records.sessions.count, np.nan)
    if records.has(name):
        most[records.sessions.present] = np.fmax.reduceat(records.numbers(name), records.sessions.starts)
    return most


def _low(seen: Samples, low_kbps: Floats, figures: rules.Picture) -> tuple[Ints, Ints]:
    low, judged = np.zeros(seen.at.size, np.bool_), np.zeros(seen.at.size, np.bool_)
    if seen.bitrate_kbps is not None:
        judged |= ~np.isnan(seen.bitrate_kbps)
        sharp = np.False_ if seen.height is None else seen.height >= figures.good_height
        low |= (seen.bitrate_kbps <= low_kbps[seen.sessions.of]) & ~sharp
    if seen.height is not None and seen.player_height is not None:
        judged |= ~np.isnan(seen.height + seen.player_height)
        low |= (seen.height <= figures.low_height) & (seen.player_height >= figures.min_player_height)
    return seen.sessions.sum(seen.played_ms * low), seen.sessions.sum(seen.played_ms * judged)


def _gains(records: Records, named: Floats) -> Floats:
    """What each session's codec saves, NaN where it is unknown or a best rendition is named by all."""
    if not records.has("codec") or not np.isnan(named).any():
        return np.full(named.size, np.nan)
    return codec_gains(records.texts("codec", records.sessions.first(records.known("codec"))))


def _weight_ms(seen: Samples) -> Floats:
    """How much each sample's play counts at its session's end."""
    tails = _tails(seen.sessions)
    ends = np.repeat(seen.at[tails] + seen.played_ms[tails], np.diff(tails, prepend=-1))
    since = picture_weight_ms((ends - seen.at).astype(np.float64))
    following = np.append(since[1:], 0.0)
    following[tails] = 0
    weight: Floats = since - following
    return weight


def _losses(sessions: Groups, bitrate: Floats | None, height: Floats | None, best: Floats, screen: Floats) -> Floats:
    """The loss of each row, by its session's best rendition and its player's height."""
    unknown = np.full(1, np.nan)
    by_bitrate = (unknown, unknown) if bitrate is None else (bitrate, best[sessions.of])
    by_height = (unknown, unknown) if height is None else (height, screen[sessions.of])
    losses: Floats = np.broadcast_to(picture_loss(*by_bitrate, *by_height), sessions.of.size)
    return losses


def _mean(sessions: Groups, values: Floats | None, weights: Floats) -> Floats:
    """The weighed mean of what is known of each session, NaN where nothing is."""
    mean = np.full(sessions.count, np.nan)
    if values is None:
        return mean
    known = ~np.isnan(values)
    weight = sessions.total(weights * known)
    weighted = sessions.total(np.where(known, values, 0.0) * weights)
    mean[weight > 0] = weighted[weight > 0] / weight[weight > 0]
    return mean


def _completed(records: Records, course: Course, mean: Floats, values: Callable[[], Floats]) -> Floats:
    """Means over play, and plain ones over records where a session's course is unknown."""
    if course.known.all():
        return mean
    plain = values()
    known = ~np.isnan(plain)
    for where in (known & records.timeline, known & ~records.timeline):
        number = records.sessions.sum(where)
        total = records.sessions.total(np.where(where, plain, 0.0))
        mean = np.where(~course.known & (number > 0), total / np.maximum(number, 1), mean)
    return mean
