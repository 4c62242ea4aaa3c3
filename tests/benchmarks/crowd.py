"""Viewers who come and go at a steady rate, told as they watch: what the load benchmark of a stream writes."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import numpy as np
import polars as pl

EVENTS: Final = 40
"""A session's: a start, a first picture, one wait, heartbeats, an end."""
STEP_MS: Final = 500
BEAT_STEPS: Final = 3
"""Between two events of a session; so those who came in a step are told of in every third one after it."""
LIFE_S: Final = EVENTS * BEAT_STEPS * STEP_MS // 1000
BAD_SHARE: Final = 0.02
"""So many wait for 15 seconds."""


@dataclass
class Crowd:
    """`rate` events a second, once the first have gone.

    `ends` is when bad sessions end, in ms since the epoch; `written` how many events each step had.
    """

    begin_ms: int
    rate: int
    ends: dict[str, int] = field(default_factory=dict)
    written: list[int] = field(default_factory=list)
    _came: dict[int, pl.DataFrame] = field(default_factory=dict)

    def sessions(self, step: int) -> pl.DataFrame:
        """Who comes in a step."""
        luck = np.random.default_rng((7, step))
        many = round(self.rate * STEP_MS / 1000 / EVENTS)
        bad = luck.random(many) < BAD_SHARE
        start = self.begin_ms + step * STEP_MS + luck.integers(0, STEP_MS, many)
        ids = [f"{'bad' if b else 'good'}-{step}-{number}" for number, b in enumerate(bad)]
        return pl.DataFrame({"session_id": ids, "start": start, "bad": bad})

    def events(self, step: int) -> pl.DataFrame:
        """What is told of all of them in a step; steps come one after the other."""
        self._came[step] = self.sessions(step)
        self._came.pop(step - EVENTS * BEAT_STEPS, None)
        told = pl.concat(
            who.with_columns(
                sequence=pl.lit((step - came) // BEAT_STEPS, pl.Int64),
                event_time=pl.col("start") + pl.lit((step - came) * STEP_MS),
            )
            for came, who in self._came.items()
            if (step - came) % BEAT_STEPS == 0
        )
        number, bad = pl.col("sequence"), pl.col("bad")
        state = (
            pl.when(number == 0).then(pl.lit("starting"))
            .when(number == 1).then(pl.lit("playing"))
            .when(bad & (number == 10)).then(pl.lit("stalled"))
            .when(bad & (number == 20)).then(pl.lit("playing"))
            .when(number == EVENTS - 1).then(pl.lit("ended"))
        )  # fmt: skip
        over = told.filter(bad & (number == EVENTS - 1))
        self.ends |= dict(over.select("session_id", "event_time").iter_rows())
        self.written.append(told.height)
        return told.select("session_id", "event_time", "sequence", state.alias("state"), bitrate_kbps=pl.lit(4_500))

    def book(self, folder: Path, steps: int) -> Iterator[str]:
        """Orders, customers and grants of the bad sessions, as options of `makegood stream`."""
        bad = pl.concat([self.sessions(step).filter("bad") for step in range(steps)]).with_row_index("n")
        line = pl.format("line-{}", "n")
        customer = pl.format("viewer-{}", "n")
        tables = {
            "orders": bad.select(
                order_line_id=line, order_id=line, customer_id=customer, kind=pl.lit("rental"), item_id=pl.lit("film"),
                title=pl.lit("Casablanca"), payment_id=line, amount_minor=pl.lit(299), currency=pl.lit("USD"),
                purchased_at=pl.col("start") - 60_000,
            ),
            "customers": bad.select(customer_id=customer, email=customer + "@example.com"),
            "grants": bad.select("session_id", order_line_id=line, customer_id=customer, granted_at="start"),
        }  # fmt: skip
        for name, table in tables.items():
            table.write_ndjson(folder / f"{name}.jsonl")
            yield from (f"--{name}", str(folder / f"{name}.jsonl"))
