"""Signed beacons: who was allowed a session can sign for it, and nobody else.

What a player team needs to know:

1. With the permission to play, the service hands the player a key id and the
   session's own key, `HMAC-SHA256(secret, session_id)`; see `keys`.
2. A record that is to be signed carries that `key_id`. Its content is the record
   as JSON in the canonical form of RFC 8785 (members sorted by name, no spaces,
   numbers as ECMAScript writes them), without null members and empty texts, and of
   the members only those in `SIGNED`: `event_time` as whole milliseconds,
   `error_code` as text.
3. `signature` is HMAC-SHA256 of that content, in UTF-8, under the session's key, as
   64 small hexadecimal digits.

What a collector may add or alter on the way (`UNSIGNED`) is not signed. The content
is of values, not of bytes, so that a record keeps its signature from JSON to
Parquet, as long as decimals keep their 64 bits there.
"""

import hmac
from collections.abc import Iterator
from dataclasses import replace
from typing import Final

import numpy as np
import polars as pl

from detectors.telemetry.checks import Bools, Checked, Fault
from detectors.telemetry.contents import contents
from detectors.telemetry.fields import FIELDS, KEY_ID, SIGNATURE
from detectors.telemetry.keys import BeaconKey, KeyRing
from detectors.telemetry.rejects import Code

UNSIGNED: Final = frozenset({"received_at", "isp", "country", SIGNATURE})
"""The collector's own words, and the signature itself."""

SIGNED: Final = tuple(sorted((field for field in FIELDS if field.name not in UNSIGNED), key=lambda field: field.name))
"""The members of the content, sorted by name."""

_ALTERED: Final = "The signature does not fit the record: it was altered, or signed with another key."
_UNKNOWN: Final = "The key ring has no such key; the record was kept as unsigned."
_EXPIRED: Final = "The key was not good at that time; the record was kept as unsigned."


def verified(raw: pl.DataFrame, checked: Checked, keys: KeyRing) -> Checked:
    """The same rows with `signed`: true where the signature fits the record, null where nothing is signed.

    A signature that does not fit is a fault. One by a key that is unknown, or was not
    good when the record was received (or made, where no time of receipt is
    known), leaves its record in use, unsigned, and is counted.

    Args:
      raw: The columns before they were judged: there decimals have all their digits.
      checked: The columns of beacons; values of faulty rows are of no matter.
      keys: The keys to try.
    """
    frame = checked.frame
    if SIGNATURE not in frame.columns:
        return checked
    claimed = frame[SIGNATURE].is_not_null().to_numpy() & (checked.first_faults() < 0)
    known, good = _usable(frame, keys)
    at = np.flatnonzero(claimed & good)
    fits = np.fromiter(_verdicts(raw[at], frame[at], keys), np.bool_, at.size)
    signed, wrong = np.zeros(frame.height, np.bool_), np.zeros(frame.height, np.bool_)
    signed[at[fits]], wrong[at[~fits]] = True, True
    counted = (
        (claimed & ~known, Code.UNKNOWN_KEY, _UNKNOWN),
        (claimed & known & ~good, Code.EXPIRED_KEY, _EXPIRED),
    )
    return replace(
        checked,
        frame=frame.with_columns(pl.Series("signed", signed).set(pl.Series(~signed), None)),
        faults=(*checked.faults, Fault(wrong, Code.BAD_SIGNATURE, SIGNATURE, _ALTERED)),
        slips=(*checked.slips, *(Fault(mask, code, KEY_ID, reason) for mask, code, reason in counted)),
    )


def _usable(frame: pl.DataFrame, keys: KeyRing) -> tuple[Bools, Bools]:
    """Marks the rows whose key is known, and those whose key was good when they were received."""
    nothing = pl.lit(None, pl.Int64)
    received_at = pl.col("received_at") if "received_at" in frame.columns else nothing
    named = pl.col(KEY_ID) if KEY_ID in frame.columns else pl.lit(None, pl.String)
    since = {key_id: key.valid_from for key_id, key in keys.keys.items()}
    until = {key_id: key.valid_until for key_id, key in keys.keys.items()}
    moment = pl.coalesce(received_at, "event_time")
    marks = frame.select(
        known=named.is_in(list(since)).fill_null(value=False),
        good=(
            (moment >= named.replace_strict(since, default=None, return_dtype=pl.Int64))
            & (moment < named.replace_strict(until, default=None, return_dtype=pl.Int64))
        ).fill_null(value=False),
    )
    return marks["known"].to_numpy(), marks["good"].to_numpy()


def _verdicts(raw: pl.DataFrame, frame: pl.DataFrame, keys: KeyRing) -> Iterator[bool]:
    """Whether each row's signature fits it; all their keys are good."""
    if not frame.height:
        return
    said = contents(raw, frame, SIGNED).cast(pl.Binary)
    sessions = frame["session_id"].cast(pl.String)
    prepared: dict[tuple[str, str], hmac.HMAC] = {}
    for key_id, session_id, content, signature in zip(frame[KEY_ID], sessions, said, frame[SIGNATURE], strict=True):
        signer = prepared.get((key_id, session_id))
        if signer is None:
            signer = prepared[key_id, session_id] = _signer(keys.keys[key_id], session_id)
        mine = signer.copy()
        mine.update(content)
        yield hmac.compare_digest(mine.hexdigest().encode(), signature.encode())


def _signer(key: BeaconKey, session_id: str) -> hmac.HMAC:
    return hmac.new(key.of_session(session_id), digestmod="sha256")
