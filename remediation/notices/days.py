"""The calendar days of a failure, as the customer reads them."""

from collections.abc import Iterator, Mapping
from datetime import date, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from detectors.finding import Finding
from remediation.notices.display import Display
from remediation.notices.errors import NoticeError
from remediation.orders import OrderLine

_DATES: Final = ("promised_date", "delivered_date")
_MOMENTS: Final = ("last_scan_at", "scanned_at", "delivered_at", "reported_at")


def days(finding: Finding, order_line: OrderLine, display: Display, zone: ZoneInfo) -> Mapping[str, str]:
    """The days by name; what the evidence leaves out or null is not there.

    Beside the evidence's own there are `ordered`, and `up_to`: until when a
    late parcel was waited for. Evidence that is a day already stays that day
    in every zone; a moment falls on the day that `zone` had.

    Raises:
      NoticeError: A day or a moment of the evidence is none.
    """
    dates = dict(_dates(finding))
    shown = {name: display.day(day) for name, day in dates.items()}
    days_late = finding.evidence.get("days_late")
    if "promised_date" in dates and isinstance(days_late, int):
        shown["up_to"] = display.day(dates["promised_date"] + timedelta(days=days_late))
    moments = {"ordered": order_line.purchased_at, **dict(_moments(finding))}
    return shown | {name: display.day_of(moment, zone) for name, moment in moments.items()}


def _dates(finding: Finding) -> Iterator[tuple[str, date]]:
    for name in _DATES:
        text = finding.evidence.get(name)
        if text is None:
            continue
        try:
            yield name, date.fromisoformat(str(text))
        except ValueError as error:
            raise _no_day(finding, name) from error


def _moments(finding: Finding) -> Iterator[tuple[str, int]]:
    for name in _MOMENTS:
        moment = finding.evidence.get(name)
        if moment is None:
            continue
        if not isinstance(moment, int):
            raise _no_day(finding, name)
        yield name, moment


def _no_day(finding: Finding, name: str) -> NoticeError:
    return NoticeError(f"Finding {finding.finding_id}: {name} of its evidence is no day; correct the detector.")
