"""RFC 3339 text to milliseconds, for whole columns."""

from typing import Final

import polars as pl

_RFC3339: Final = (
    r"^(\d{4}-\d{2}-\d{2})[Tt ]((?:[01]\d|2[0-3]):[0-5]\d:[0-5]\d)(?:\.(\d{1,9}))?"
    r"(?:[Zz]|([+-])((?:[01]\d|2[0-3])):([0-5]\d))$"
)
_MS_DIGITS: Final = 3


def from_text(texts: pl.Series) -> pl.Series:
    """Milliseconds since the epoch, Int64; null where the text is no RFC 3339 time.

    Finer than a millisecond is cut off. A time without an offset is no RFC 3339
    time: nobody can say when it was.
    """
    group = [pl.col("t").str.extract(_RFC3339, index) for index in range(1, 7)]
    day, clock, fraction, sign, hours, minutes = group
    local = (
        pl.concat_str(day, clock, separator=" ").str.to_datetime("%Y-%m-%d %H:%M:%S", time_unit="ms", strict=False)
    ).dt.timestamp("ms")
    ms = fraction.str.slice(0, _MS_DIGITS).str.pad_end(_MS_DIGITS, "0").cast(pl.Int64).fill_null(0)
    offset = (hours.cast(pl.Int64) * 60 + minutes.cast(pl.Int64)) * 60_000
    east = pl.when(sign == "-").then(-offset).when(sign == "+").then(offset).otherwise(0)
    return pl.DataFrame({"t": texts}).select((local + ms - east).alias(texts.name)).to_series()
