"""The same session table as a good engineer would write it in one query, in Polars and in DuckDB.

They answer what this telemetry asks: repeated records, order by sequence, time to
the first picture, stalls, waits after seeks, watched time and the mean bitrate by
time. They know nothing of sleeping devices, background tabs, ads, witnesses or late
records, and read the columns that they need. Run as
`python -m tests.benchmarks.rivals polars|duckdb INPUT OUTPUT`.
"""

import sys
from pathlib import Path
from typing import Final

import duckdb
import polars as pl

from tests.benchmarks.measure import report_work

TURNS: Final = ("playing", "seeking", "paused", "ended", "quit")
"""States that begin another stretch of a session; a stall is a wait within a stretch of playing."""


def polars_sessions(path: Path) -> pl.LazyFrame:
    """One row a session: `session_id started_at ended_at startup_ms stall_count … mean_bitrate_kbps`, lazily."""
    state, time_ms = pl.col("state"), pl.col("event_time")
    stalled = pl.col("now").is_in(["stalled", "waiting"]) & (pl.col("stretch") == "playing")
    played, rate = pl.col("now") == "playing", pl.col("rate")
    return (
        pl.scan_parquet(path)
        .select("session_id", "sequence", "event_time", "state", "bitrate_kbps")
        .sort("session_id", "sequence")
        .unique(["session_id", "sequence"], keep="first", maintain_order=True)
        .with_columns(
            now=state.forward_fill().over("session_id"),
            stretch=pl.when(state.is_in(TURNS)).then(state).forward_fill().over("session_id"),
            started=(state == "playing").fill_null(value=False).cum_max().over("session_id"),
            rate=pl.col("bitrate_kbps").forward_fill().over("session_id"),
            held_ms=(time_ms.shift(-1) - time_ms).clip(lower_bound=0).over("session_id").fill_null(0),
        )
        .with_columns(stalled=stalled & pl.col("started"))
        .with_columns(opens=pl.col("stalled") & ~pl.col("stalled").shift(1, fill_value=False).over("session_id"))
        .group_by("session_id")
        .agg(
            started_at=time_ms.first(),
            ended_at=time_ms.last(),
            startup_ms=time_ms.filter(state == "playing").first() - time_ms.first(),
            stall_count=pl.col("opens").sum().cast(pl.Int64),
            stall_ms=pl.col("held_ms").filter("stalled").sum(),
            seek_wait_ms=pl.col("held_ms").filter(pl.col("started"), pl.col("stretch") == "seeking").sum(),
            watched_ms=pl.col("held_ms").filter(pl.col("stretch").ne_missing("paused")).sum(),
            mean_bitrate_kbps=(pl.col("held_ms") * rate).filter(played).sum()
            / pl.col("held_ms").filter(played, rate.is_not_null()).sum(),
        )
    )


DUCKDB: Final = """
with once as (
  select session_id, sequence, any_value(event_time) as event_time, any_value(state) as state,
         any_value(bitrate_kbps) as bitrate_kbps
  from read_parquet($path) group by session_id, sequence
), line as (
  select *,
    last_value(state ignore nulls) over past as now,
    last_value(case when state in ('playing', 'seeking', 'paused', 'ended', 'quit') then state end ignore nulls)
      over past as stretch,
    coalesce(bool_or(state = 'playing') over past, false) as started,
    last_value(bitrate_kbps ignore nulls) over past as rate,
    coalesce(greatest(lead(event_time) over session - event_time, 0), 0) as held_ms
  from once
  window session as (partition by session_id order by sequence),
         past as (partition by session_id order by sequence rows between unbounded preceding and current row)
), marked as (
  select *, started and coalesce(now in ('stalled', 'waiting') and stretch = 'playing', false) as stalled from line
), edged as (
  select *, stalled and not coalesce(lag(stalled) over (partition by session_id order by sequence), false) as opens
  from marked
)
select session_id, min(event_time) as started_at, max(event_time) as ended_at,
  min(event_time) filter (state = 'playing') - min(event_time) as startup_ms,
  count(*) filter (opens) as stall_count,
  coalesce(sum(held_ms) filter (stalled), 0)::bigint as stall_ms,
  coalesce(sum(held_ms) filter (started and stretch = 'seeking'), 0)::bigint as seek_wait_ms,
  coalesce(sum(held_ms) filter (stretch is distinct from 'paused'), 0)::bigint as watched_ms,
  sum(held_ms * rate) filter (now = 'playing') / sum(held_ms) filter (now = 'playing' and rate is not null)
    as mean_bitrate_kbps
from edged group by session_id
"""


def write_sessions(engine: str, source: Path, target: Path) -> int:
    """Write the session table of `source` to `target` with the named engine; the number of sessions."""
    if engine == "polars":
        polars_sessions(source).collect().write_parquet(target)
    else:
        duckdb.execute(f"copy ({DUCKDB}) to '{target}' (format parquet)", {"path": str(source)})
    return int(pl.scan_parquet(target).select(pl.len()).collect().item())


if __name__ == "__main__":
    report_work(lambda: write_sessions(sys.argv[1], Path(sys.argv[2]), Path(sys.argv[3])))
