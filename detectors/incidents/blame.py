"""Whose fault an incident is, as far as its failures tell: the ladder of DOMAIN 2.5, and the parcels' own faults."""

from collections import Counter
from collections.abc import Mapping
from typing import Final

import polars as pl

from detectors.finding import Fault
from detectors.incidents.cohorts import CohortKind

_SPREAD: Final = 0.8
"""Of the failures, at most this share on one network: with more on it, the network may be the cause as well."""

_FAULTS: Final[Mapping[str, Fault]] = {
    "cdn": "cdn",
    "device": "device",
    "carrier": "carrier",
    "merchant": "merchant",
}


def blame(kind: CohortKind, failures: pl.DataFrame) -> Fault:
    """The fault that the failures of one cohort suggest; unknown where two explanations are left.

    An item that fails across carriers is the merchant's fault, whatever each
    parcel says. Otherwise what most findings say themselves stands: servers that
    answered with errors are the delivery network's, full buffers the device's.
    Then a CDN or a title that fails across networks is the service's, and a
    network that fails across CDNs its own. An app version or a player stays
    unknown: a spike in one is a mistake of its reports until shown otherwise.

    Args:
      kind: What the cohort shares.
      failures: `FAILING`, those of the cohort.
    """
    if kind == "item" and _is_spread(failures["carrier"]):
        return "merchant"
    own = _own(failures["fault"])
    if own == "unknown" and kind in {"cdn", "title"} and _is_spread(failures["isp"]):
        return "service"
    if own == "unknown" and kind == "isp" and _is_spread(failures["cdn"]):
        return "isp"
    return own


def _own(faults: pl.Series) -> Fault:
    """The fault that more than half of the findings name; unknown where none does, or it is no cause in common."""
    counts = Counter(faults.to_list())
    fault, count = counts.most_common(1)[0]
    return _FAULTS.get(fault, "unknown") if 2 * count > len(faults) else "unknown"


def _is_spread(networks: pl.Series) -> bool:
    """Whether the failures with a known value have several, none of which holds nearly all of them."""
    counts = Counter(networks.drop_nulls().to_list())
    return bool(counts) and max(counts.values()) <= _SPREAD * counts.total()
