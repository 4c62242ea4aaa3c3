"""The records of CMCD players as a collector's lines, each player with the keys that it really sends."""

from collections.abc import Sequence
from typing import Final

import numpy as np
import polars as pl

from detectors.schemas import STATES
from pipelines.synth.arrivals import Arrived
from pipelines.synth.jsontext import joined
from pipelines.synth.players import CMCD, Player
from pipelines.synth.population import LADDER, Visits
from pipelines.synth.scenes import BROKEN, Ending, Ints, Scene, Timeline
from pipelines.synth.trace import Say, Trace

TOKENS: Final = ("d", "s", "p", "r", "k", "w", "a", "e", "f", "q")
"""Of `STATES`, in their order."""

_EVENTS: Final = ("ps", "t", "bc", "e", "rr", "", "ps", "b")
"""By `Say`; a request is no event."""

_SOUND_KBPS: Final = 128
_PASSING: Final = 0.002
"""So many requests fail and are made again."""

_FINE, _REFUSED, _FAILED = 200, 403, 503
_ERROR_CODE: Final = 27  # of dash.js; it sticks to every report from then on
_LEAD_MS: Final = 12_000  # what is downloaded is seen so much later


def cmcd_lines(seen: Visits, line: Timeline, told: Trace, came: Arrived, rng: np.random.Generator) -> bytes:
    """The records of players that send CMCD, in the order in which they came, as lines of JSON."""
    chosen = np.flatnonzero(np.isin(seen.player, CMCD)[told.owner[came.record]])
    frame = _columns(seen, line, told, came, chosen, rng)
    record = pl.concat_str(_keys(), separator=",", ignore_nulls=True)
    mode = pl.when(pl.col("is_request")).then(pl.lit("request")).otherwise(pl.lit("event"))
    head = pl.format('"received_at":{},"mode":"{}","cmcd":"', "received_at", mode)
    return joined(frame.select(pl.concat_str(pl.lit("{"), head, record, pl.lit('"}'))).to_series())


def _columns(  # noqa: PLR0913, PLR0917 - what happened, what was said of it, and how it came
    seen: Visits, line: Timeline, told: Trace, came: Arrived, chosen: Ints, rng: np.random.Generator
) -> pl.DataFrame:
    record = came.record[chosen]
    owner, row, say = told.owner[record], told.row[record], told.say[record]
    player, top = seen.player[owner], seen.top_kbps[owner]
    now, next_rung = LADDER[line.rung[row]], LADDER[_downloading(line)[row]]
    moves = line.scene[row] == Scene.PLAY
    dead = (line.scene[row] == Scene.STUCK) & (player == Player.DASH)
    return pl.DataFrame(
        {
            "session_id": pl.Series(seen.session_id).gather(owner),
            "title": seen.title[owner],
            "event_time": came.event_time[chosen],
            "received_at": came.received_at[chosen],
            "sequence": came.sequence[chosen],
            "player": player,
            "say": say,
            "state": _token(told.state[record]),
            "bitrate_kbps": (top * next_rung).astype(np.int64),
            "shown_kbps": (top * now).astype(np.int64),
            "top_kbps": top,
            "buffer_ms": np.where(moves, 8_000 + told.at_ms[record] * 7_919 % 180 * 100, told.at_ms[record] % 4 * 100),
            "status": _status(seen, line, owner, row, rng),
            "is_request": say == Say.REQUEST,
            "hidden": line.hidden[row] | (say == Say.HIDE),
            "dead": dead,
        }
    )


def _downloading(line: Timeline) -> np.ndarray:
    """The rendition that is fetched during each scene: that of the next stretch, where this one is nearly over."""
    following = np.minimum(np.arange(line.owner.size) + 1, line.owner.size - 1)
    near = (line.owner[following] == line.owner) & (line.lasts_ms <= _LEAD_MS)
    return np.where(near, line.rung[following], line.rung)


def _token(state: np.ndarray) -> pl.Series:
    return pl.Series([*TOKENS, None]).gather(np.where(state < 0, len(STATES), state).astype(np.int64))


def _status(seen: Visits, line: Timeline, owner: Ints, row: Ints, rng: np.random.Generator) -> Ints:
    """Whether a request succeeded: not in the wait in which its session breaks, and now and then not elsewhere."""
    breaks = np.isin(seen.ending, BROKEN)[owner] & (line.last_waits | (line.scene == Scene.STUCK))[row]
    passing = rng.random(owner.size, dtype=np.float32) < _PASSING
    broken = np.where((seen.ending == Ending.REFUSED)[owner], _REFUSED, _FAILED)
    return np.where(breaks, broken, np.where(passing & (line.scene[row] == Scene.PLAY), _FAILED, _FINE))


def _keys() -> Sequence[pl.Expr]:
    """Each key with its value, null where its record has none; in alphabetical order, as players write them."""
    player, say = pl.col("player"), pl.col("say")
    dash, hls = player == Player.DASH, player == Player.HLS
    shaka = ~dash & ~hls
    request, response = pl.col("is_request"), say == Say.RESPONSE
    detailed = request | response | (say == Say.SWITCH) | (dash & (say != Say.BEAT)) | hls
    return (
        pl.when((request | dash | hls) & detailed).then(_measure("bl", "buffer_ms", dash, hls)),
        pl.when(detailed | shaka).then(_measure("br", "bitrate_kbps", dash, hls)),
        pl.when(pl.col("hidden") & shaka).then(pl.lit("bg")),
        pl.format('cid=\\"film-{}\\"', "title"),
        pl.when(~request).then(pl.format("e={}", _event())),
        pl.when(pl.col("dead")).then(pl.lit(f"ec={_ERROR_CODE}")),
        pl.when(request | response).then(pl.lit("ot=v")),
        pl.when((dash | (hls & request)) & detailed).then(_measure("pb", "shown_kbps", dash, hls)),
        pl.when(response).then(pl.format("rc={}", "status")),
        pl.when(hls).then(pl.lit("sf=h")).otherwise(pl.lit("sf=d")),
        pl.format('sid=\\"{}\\"', "session_id"),
        pl.format("sn={}", "sequence"),
        pl.lit("st=v"),
        pl.format("sta={}", "state"),
        pl.when((dash | (shaka & request)) & detailed).then(_measure("tb", "top_kbps", dash, hls)),
        pl.when(hls & request).then(pl.format("tpb=({})", "top_kbps")),
        pl.when(~request).then(pl.format("ts={}", "event_time")),
        pl.when(response).then(pl.lit('url=\\"https://cdn.example/seg.m4s\\"')),
        pl.lit("v=2"),
    )


def _event() -> pl.Expr:
    """What the record reports; a change of state without a state is a sample."""
    named = pl.col("say").replace_strict(dict(enumerate(_EVENTS)), return_dtype=pl.String)
    return pl.when((pl.col("say") == Say.STATE) & pl.col("state").is_null()).then(pl.lit("t")).otherwise(named)


def _measure(key: str, column: str, dash: pl.Expr, hls: pl.Expr) -> pl.Expr:
    """A figure as each player writes it: of picture and sound, as a list of one, bare."""
    sound = pl.col(column) if key == "bl" else pl.lit(_SOUND_KBPS)
    both = pl.format("{}=({};v {};a)", pl.lit(key), column, sound)
    listed = pl.format("{}=({})", pl.lit(key), column)
    return pl.when(dash).then(both).when(hls).then(listed).otherwise(pl.format("{}={}", pl.lit(key), column))
