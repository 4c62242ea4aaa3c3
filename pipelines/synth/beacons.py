"""Canonical beacons: the records of some sessions as a frame, and as Parquet or JSON Lines."""

from typing import Final

import numpy as np
import polars as pl

from detectors.schemas import STATES, State
from pipelines.synth.arrivals import Arrived
from pipelines.synth.forgery import tampered
from pipelines.synth.players import CMCD, Player
from pipelines.synth.population import CDNS, DEVICES, HEIGHTS, ISPS, LADDER, TITLES, VERSIONS, Visits
from pipelines.synth.scenes import Bools, Codes, Ending, Ints, Scene, Timeline
from pipelines.synth.trace import Say, Trace

_FAILED: Final = STATES.index("failed")
_PLAYING: Final = STATES.index("playing")
_BUFFER_MS: Final = (8_000, 18_000)  # at least, and the range above it
_LOW_BUFFER_MS: Final = 400
_RECOVERED: Final = 0.0004  # of records tell of an error that the player gets over
_PICTURE: Final = ("bitrate_kbps", "top_bitrate_kbps", "height", "player_height", "buffer_ms")
_CODES: Final = ("segment_timeout", "network_error", "drm_license_refused")
_UNSAID: Final = -1


def beacons(  # noqa: PLR0913, PLR0917 - what happened, what was said of it, and how it came
    seen: Visits, customers: pl.Series, line: Timeline, told: Trace, came: Arrived, rng: np.random.Generator
) -> tuple[pl.DataFrame, pl.Series]:
    """The records of canonical players, in the order in which they came.

    `customers` are their names by number. A session's first record tells who, what and through what.

    Returns:
      Columns of `schemas.EVENTS`, and marks on what televisions sent.
    """
    chosen = np.flatnonzero(~np.isin(seen.player, CMCD)[told.owner[came.record]])
    record = came.record[chosen]
    owner, row, state = told.owner[record], told.row[record], told.state[record]
    event_time, top_kbps = tampered(seen, owner, came.event_time[chosen], seen.top_kbps[owner])
    is_beat, is_state = told.say[record] == Say.BEAT, told.say[record] == Say.STATE
    frame = pl.DataFrame(
        {
            "session_id": _among(seen.session_id, owner),
            "event_time": event_time,
            "received_at": came.received_at[chosen],
            "sequence": came.sequence[chosen].astype(np.int32),
            "state": _among(STATES, state).cast(State),
            **_picture(seen, line, owner, row, told.at_ms[record]),
            "top_bitrate_kbps": top_kbps.astype(np.int32),
            "background": line.hidden[row],
            "ad": line.ad[row],
            "error_code": _among(_CODES, _errors(seen, owner, state, rng)),
            "fatal": state == _FAILED,
            **_who(seen, customers, owner, came.sequence[chosen] == 0),
        }
    )
    return _said(frame, is_beat | (state == _PLAYING), is_state), pl.Series((seen.player == Player.TV)[owner])


def _said(frame: pl.DataFrame, is_pictured: Bools, is_state: Bools) -> pl.DataFrame:
    """The frame without what players leave out: the picture is told as it moves, tab and advertising with a state."""
    pictured, named = pl.lit(pl.Series(is_pictured)), pl.lit(pl.Series(is_state))
    return frame.with_columns(
        pl.when(pictured).then(pl.col(_PICTURE)).name.keep(),
        pl.when(named).then(pl.col("background", "ad")).name.keep(),
        pl.when("fatal").then("fatal").alias("fatal"),
    )


def _picture(seen: Visits, line: Timeline, owner: Ints, row: Ints, at_ms: Ints) -> dict[str, Ints]:
    """What is on the screen, and how much of the film is in the buffer: next to nothing while it waits."""
    rung = line.rung[row]
    least, beyond = _BUFFER_MS
    figures = {
        "bitrate_kbps": seen.top_kbps[owner] * LADDER[rung],
        "height": HEIGHTS[seen.is_uhd[owner].astype(np.int64), rung],
        "player_height": seen.screen[owner],
        "buffer_ms": np.where(line.scene[row] == Scene.PLAY, least + at_ms * 7_919 % beyond, at_ms % _LOW_BUFFER_MS),
    }
    return {name: values.astype(np.int32) for name, values in figures.items()}


def _errors(seen: Visits, owner: Ints, state: Codes, rng: np.random.Generator) -> Ints:
    """Places in `_CODES`: of what ended a session, and now and then of what a player got over."""
    failed = state == _FAILED
    ended = np.where((seen.ending == Ending.REFUSED)[owner], 2, 1)
    passing = np.where(rng.random(owner.size, dtype=np.float32) < _RECOVERED, 0, _UNSAID)
    return np.where(failed, ended, passing)


def _who(seen: Visits, customers: pl.Series, owner: Ints, is_first: Bools) -> dict[str, pl.Series]:
    """Names and dimensions, on the first record alone."""
    first = np.flatnonzero(is_first)
    of = owner[first]
    told = pl.DataFrame(
        {
            "customer_id": _among(tuple(customers), seen.customer[of]),
            "content_id": _among(tuple(f"film-{number}" for number in range(TITLES)), seen.title[of]),
            "cdn": _among(CDNS, seen.cdn[of]),
            "isp": _among(ISPS, seen.isp[of]),
            "device": _among(DEVICES, seen.device[of]),
            "app_version": _among(VERSIONS, seen.version[of]),
            "player": _among(("app", "tv"), seen.player[of]),
        }
    )
    place = np.full(owner.size, first.size, np.uint32)
    place[first] = np.arange(first.size)
    nobody = told.clear(1)
    return pl.concat([told, nobody])[place].to_dict()


def _among(names: tuple[str, ...], place: Ints | Codes) -> pl.Series:
    """The names at these places, null where there is none; no text is copied."""
    known = pl.Series(place.astype(np.int64))
    return pl.Series(names, dtype=pl.Enum(names)).gather(known.set(known < 0, None))
