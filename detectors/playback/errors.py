"""Which reports are errors, and which of these say that a rule was kept rather than that something broke."""

from dataclasses import dataclass
from typing import Final

import numpy as np

from detectors.playback.groups import Bools, Ints
from detectors.playback.records import Records

BUSINESS_CODE: Final = r"(?i)^(drm|licen[cs]e|entitlement|business)|^(http[ _-]?)?(401|402|403|451)$"
"""Error codes of rights, payment and place: the service did what it meant to (Conviva leaves them out, too)."""

BUSINESS_STATUS: Final = (401, 402, 403, 451)
"""Not signed in, not paid, not allowed, not allowed here."""

_CLIENT_ERROR: Final = 400
_SERVER_ERROR: Final = 500


@dataclass(frozen=True, slots=True)
class Errors:
    """One entry an error report, in the order of the records; `record` points into `Records`.

    A request that was broken off, status 0, is none: players break off requests at
    every seek and when the viewer leaves.
    """

    record: Ints
    session: Ints
    time: Ints
    business: Bools
    server: Bools


def errors(records: Records) -> Errors:
    """Every error code and failed response among the records in use."""
    status = records.numbers("http_status") if records.has("http_status") else np.zeros(0)
    failed = np.isfinite(status) & (status >= _CLIENT_ERROR) if status.size else np.zeros(records.row.size, np.bool_)
    record = np.flatnonzero(records.known("error_code") | failed)
    code = records.texts("error_code", record)
    by_code = code.str.contains(BUSINESS_CODE).fill_null(value=False).to_numpy()
    answered = status[record] if status.size else np.zeros(record.size)
    return Errors(
        record=record,
        session=records.sessions.of[record],
        time=records.time[record],
        business=by_code | np.isin(answered, BUSINESS_STATUS),
        server=(answered >= _SERVER_ERROR),
    )
