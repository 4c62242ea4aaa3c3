"""The figures of a finding's evidence as text; the ending of a name says the unit."""

import math
import re
from collections.abc import Mapping
from typing import Final

from detectors.finding import Scalar
from remediation.report.formats import duration, listed, moment, one_line, percent

NOT_SHOWN: Final = "(not shown)"

_LONGEST: Final = 60

_CODE: Final = re.compile(r"[A-Za-z0-9_.:/#-]+")
"""What a code looks like. Players send what they like, an address of a person included; that is not repeated."""

_DEPOT: Final = re.compile(r"[^\W_]+(?:[ ,.'()/#-]+[^\W_]+){0,5}[).]?")
"""What the name of a depot looks like: a few words, such as `RENO, NV`. No mail address and no sentence passes."""

_SIGNALS: Final[Mapping[str, str]] = {
    "no_photo": "no photo of the delivery",
    "proof_far": "the proof lies far from the address",
    "first_report": "the customer's first report",
    "others_same_day": "other reports from the same place that day",
    "photo": "a photo near the address",
    "pin": "a PIN was given",
    "signature": "a signature",
    "neighbour": "left with a neighbour",
    "many_reports": "many reports of this customer",
}


def labelled(evidence: Mapping[str, Scalar]) -> tuple[tuple[str, str], ...]:
    """Every known figure as (label, value), by name."""
    return tuple((_label(name), shown(name, value)) for name, value in sorted(evidence.items()) if value is not None)


def whole(known: Mapping[str, Scalar], name: str) -> int | None:
    """A figure as a whole number; null where it is unknown or no number."""
    value = known.get(name)
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        return None
    return round(value)


def timed(known: Mapping[str, Scalar], name: str, words: str) -> str:
    """Words around a duration in milliseconds; empty where it is unknown."""
    ms = whole(known, name)
    return "" if ms is None else words.format(duration(ms))


def at(known: Mapping[str, Scalar], name: str, words: str) -> str:
    """Words around a moment in milliseconds since the epoch; empty where it is unknown."""
    ms = whole(known, name)
    return "" if ms is None else words.format(moment(ms))


def coded(known: Mapping[str, Scalar], name: str, words: str) -> str:
    """Words around a text, such as a date or an id; empty where it is unknown."""
    value = known.get(name)
    return "" if value is None else words.format(shown(name, value))


def signals(known: Mapping[str, Scalar], name: str, words: str) -> str:
    """Words around a list of signals, which stand as codes with commas between them; empty where there is none."""
    value = known.get(name)
    codes = [code.strip() for code in value.split(",")] if isinstance(value, str) else []
    told = [_SIGNALS.get(code) or _text(code, _CODE) for code in codes if code]
    return words.format(listed(told)) if told else ""


def shown(name: str, value: Scalar) -> str:
    """One figure with its unit; a text only where it can be no words of a person."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int | float):
        return _figure(name, value) if math.isfinite(value) else "unknown"
    if name.startswith("signals_"):
        return signals({name: value}, name, "{}") or "none"
    return _text(str(value), _DEPOT if name == "depot" else _CODE)


def _text(text: str, allowed: re.Pattern[str]) -> str:
    return text if len(text) <= _LONGEST and allowed.fullmatch(text) else NOT_SHOWN


def _label(name: str) -> str:
    return one_line(re.sub(r"_(ms|kbps|ratio|at|m)$", "", name).replace("_", " "))


def _figure(name: str, value: float) -> str:
    if name.endswith("_ms"):
        return duration(round(value))
    if name.endswith("_at"):
        return moment(round(value))
    if name.endswith("_ratio"):
        return percent(value)
    number = f"{value:,}" if isinstance(value, int) else f"{value:,.2f}".rstrip("0").rstrip(".")
    unit = {"kbps": " kbit/s", "m": " m"}.get(name.rpartition("_")[2], "")
    return f"{number}{unit}"
