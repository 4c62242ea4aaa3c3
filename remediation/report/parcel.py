"""What is known of one parcel, and what its customer said, as facts of an explanation."""

from collections.abc import Iterator
from typing import Final

from remediation.report.deliveries import REASONS
from remediation.report.fact import Fact
from remediation.report.figures import shown
from remediation.report.formats import counted, moment, one_line
from remediation.report.story import CustomerContact, PaidLine, ParcelScan, Story

MOST_SCANS: Final = 50
"""A parcel has a dozen scans; one that circles has hundreds, of which the last tell its story."""

_TOPICS: Final = {
    "not_received": "it did not come",
    "wrong_item": "another item came",
    "damaged": "it is damaged",
    "poor_playback": "playback was poor",
    "other": "something else",
}


def promise(line: PaidLine) -> str:
    """What was promised of an order line of goods, and who was to carry it."""
    day = "no day" if line.promised_date is None else line.promised_date.isoformat()
    carrier = "" if line.carrier is None else f" by {one_line(line.carrier)}"
    parcel = "no tracking number" if line.tracking_number is None else f"parcel {one_line(line.tracking_number)}"
    return f"{day}, {parcel}{carrier}"


def parcel_facts(story: Story) -> Iterator[Fact]:
    """One fact a scan and a contact, each oldest first."""
    earlier = len(story.scans) - MOST_SCANS
    if earlier > 0:
        yield Fact("scans", f"{counted(earlier, 'earlier scan')} in the ledger")
    for scan in story.scans[-MOST_SCANS:]:
        yield Fact("scan", _scan(scan))
    for contact in story.contacts:
        yield Fact("contact", _contact(contact))


def _scan(scan: ParcelScan) -> str:
    retracted = scan.reason == "did_not_occur"
    parts = [
        one_line(scan.status).replace("_", " "),
        "" if scan.reason is None or retracted else f"because {REASONS.get(scan.reason, one_line(scan.reason))}",
        "" if scan.proof is None else f"proof: {one_line(scan.proof)}",
        "" if scan.depot is None else f"at {shown('depot', scan.depot)}",
        "taken back: this scan never happened" if retracted else "",
    ]
    return f"{moment(scan.event_time)}, " + ", ".join(part for part in parts if part)


def _contact(contact: CustomerContact) -> str:
    item = contact.received_item_id
    received = "" if item is None else f", item {shown('received_item_id', item)} instead"
    told = _TOPICS.get(contact.topic, one_line(contact.topic))
    return f"{moment(contact.event_time)}, the customer says: {told}{received}"
