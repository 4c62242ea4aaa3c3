"""Root causes: what many failures share that few successes do.

A partition of sessions or a chunk of order lines is counted into a `Tally`;
tallies add up in any order; `incidents` looks at the sum.
"""

from detectors.incidents.incident import Affected, Figures, Incident, IncidentKind
from detectors.incidents.mixups import MIXUPS
from detectors.incidents.rules import IncidentRules
from detectors.incidents.search import incidents
from detectors.incidents.tally import FAILING, UNITS, Tally, delivery_tally, merged, playback_tally

__all__ = [
    "FAILING",
    "MIXUPS",
    "UNITS",
    "Affected",
    "Figures",
    "Incident",
    "IncidentKind",
    "IncidentRules",
    "Tally",
    "delivery_tally",
    "incidents",
    "merged",
    "playback_tally",
]
