"""The cohorts that are looked at, in one table: by what failures are grouped, and what each group is called."""

from dataclasses import dataclass
from typing import Final, Literal

CohortKind = Literal["cdn", "isp", "title", "app_version", "device", "player", "carrier", "depot", "item"]
Lane = Literal["playback", "delivery"]


@dataclass(frozen=True, slots=True)
class Cohort:
    """Units that share the values of one dimension, or of two.

    `action` is what a person is asked to do, with `{values}` where the cohort is
    named. `unless` is a dimension that must be unknown: where it is known, another
    cohort is the better one.
    """

    kind: CohortKind
    lane: Lane
    dimensions: tuple[str, ...]
    action: str
    unless: str | None = None

    @property
    def name(self) -> str:
        """The dimensions as one text: `cdn`, `carrier+depot`."""
        return "+".join(self.dimensions)


_ASK_CDN: Final = "Ask the CDN what happened to {values}, and send its traffic elsewhere until it answers."
_ASK_CARRIER: Final = "Call the carrier about {values}, and hold further parcels back from it until it answers."
_ROLL_BACK: Final = (
    "Compare the reports of {values} with the servers' logs: where they are right, roll the app version back;"
    " where not, mend the reports."
)

COHORTS: Final = (
    Cohort("cdn", "playback", ("cdn",), _ASK_CDN),
    Cohort("isp", "playback", ("isp",), "Ask the network about {values}, and check the peering with it."),
    Cohort("title", "playback", ("content_id",), "Play {values}, check its files and encode it again if they are bad."),
    Cohort("app_version", "playback", ("app_version",), _ROLL_BACK),
    Cohort("device", "playback", ("device",), "Play on {values} and check the formats that it is offered."),
    Cohort("player", "playback", ("player",), _ROLL_BACK.replace("app version", "player")),
    Cohort("cdn", "playback", ("cdn", "isp"), "Check the peering of {values}, and send that traffic another way."),
    Cohort("title", "playback", ("content_id", "cdn"), "Check the files of {values}, and upload them there again."),
    Cohort("app_version", "playback", ("app_version", "device"), _ROLL_BACK),
    # Depots are named by their carriers, so that a name alone counts only where the carrier is not known.
    Cohort("depot", "delivery", ("carrier", "depot"), _ASK_CARRIER),
    Cohort("depot", "delivery", ("depot",), _ASK_CARRIER, unless="carrier"),
    Cohort("carrier", "delivery", ("carrier",), "Call the carrier about {values}, and compare it with other carriers."),
    Cohort("item", "delivery", ("item_id",), "Check the stock, the packing and the listing of {values}."),
)
"""Of two that explain the same failures equally well, the one that stands first is named: the simpler claim."""

NOUNS: Final = {
    "cdn": "CDN",
    "isp": "network",
    "content_id": "title",
    "app_version": "app version",
    "device": "device",
    "player": "player",
    "carrier": "carrier",
    "depot": "depot",
    "item_id": "item",
    "received_item_id": "received item",
}
"""Each dimension in words."""

UNIT_NOUNS: Final = {"playback": "sessions", "delivery": "parcels"}
"""What is counted in each lane."""
