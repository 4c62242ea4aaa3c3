"""The content of a record that its signature is about: canonical JSON (RFC 8785), for whole columns at once."""

from collections.abc import Sequence
from typing import Final

import polars as pl

from detectors.telemetry.fields import Field, Kind

_TEXTS: Final = (Kind.TEXT, Kind.STATE, Kind.CODE)
_EXACT: Final = 2**53  # a double holds every whole number up to here
_PLAIN_FROM: Final = 1e-4  # whatever writes it, a decimal from here on has no exponent
_POINTS: Final = range(-5, 22)  # places of the decimal point for which ECMAScript writes no exponent


def contents(raw: pl.DataFrame, judged: pl.DataFrame, fields: Sequence[Field]) -> pl.Series:
    """Each row as one JSON object of those `fields` that are not null, in the order given, which is that of names.

    Args:
      raw: The columns before they were judged: there decimals have all their digits.
      judged: Typed columns; control characters, which JSON escapes, were ruled out.
      fields: What the content consists of.
    """
    members = [_member(field, raw, judged) for field in fields if field.name in judged.columns]
    body = pl.concat_str(members, separator=",", ignore_nulls=True)
    return judged.select(pl.concat_str(pl.lit("{"), body, pl.lit("}")).alias("content")).to_series()


def _member(field: Field, raw: pl.DataFrame, judged: pl.DataFrame) -> pl.Expr:
    name = field.name
    if field.kind in _TEXTS:
        escaped = pl.col(name).cast(pl.String).str.replace_many(["\\", '"'], ["\\\\", '\\"'])
        return pl.format(f'"{name}":"{{}}"', escaped)
    if field.kind is Kind.NUMBER:
        return pl.format(f'"{name}":{{}}', pl.lit(numbers(raw[name])))
    return pl.format(f'"{name}":{{}}', judged[name].cast(pl.String))


def numbers(values: pl.Series) -> pl.Series:
    """Doubles as ECMAScript writes them; null stays null."""
    whole = values.is_between(-_EXACT, _EXACT) & (values == values.floor())
    odd = ~whole & ~values.abs().is_between(_PLAIN_FROM, _EXACT)
    plain = pl.when(whole).then(values.cast(pl.Int64, strict=False).cast(pl.String)).otherwise(values.cast(pl.String))
    written = pl.select(plain.alias(values.name)).to_series()
    if not odd.any():
        return written
    at = odd.fill_null(value=False).arg_true()
    return written.scatter(at, [ecma_number(value) for value in values.gather(at)])


def ecma_number(value: float) -> str:
    """A finite double in the shortest digits that lead back to it, as ECMA-262 `Number::toString` places them."""
    mantissa, _, exponent = repr(abs(value)).partition("e")
    before, _, after = mantissa.partition(".")
    digits = (before + after.rstrip("0")).lstrip("0")
    point = len(before) + int(exponent or 0) - (len(before + after.rstrip("0")) - len(digits))
    digits = digits.rstrip("0")
    sign = "-" if value < 0 else ""
    if not digits:
        return "0"
    if point not in _POINTS:
        power = f"e{point - 1:+d}"
        return f"{sign}{digits[0]}{'.' * (len(digits) > 1)}{digits[1:]}{power}"
    if point <= 0:
        return f"{sign}0.{'0' * -point}{digits}"
    whole, fraction = digits[:point].ljust(point, "0"), digits[point:]
    return f"{sign}{whole}{'.' * bool(fraction)}{fraction}"
