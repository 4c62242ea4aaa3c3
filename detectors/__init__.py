"""Pure detectors: bytes in, findings out.

Nothing here knows Beam, SQL, Jinja or the clock. Millions of events are columns
(polars frames whose columns `detectors.schemas` declares); findings are few and
therefore objects (`detectors.finding.Finding`).
"""

DETECTOR_VERSION = "3"
"""Raised whenever the same telemetry may give other findings than before."""
