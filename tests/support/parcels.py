"""Sales of goods and what became of their parcels, told scan by scan and word by word."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Final, Self

BERKELEY: Final = (37.8716, -122.2727)


@dataclass(frozen=True, slots=True, kw_only=True)
class Scan:
    """One scan of one parcel; what is not known is None."""

    tracking_number: str
    carrier: str
    event_time: str
    status: str
    reason: str | None = None
    proof: str | None = None
    lat: float | None = None
    lon: float | None = None
    depot: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Contact:
    """What a customer told us, without the words."""

    contact_id: str
    customer_id: str
    order_line_id: str
    event_time: str
    topic: str
    language: str
    voice: str
    received_item_id: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Sale:
    """One order line of goods, with its customer, scans and contacts; each step returns the sale with one more."""

    name: str
    promised: str | None = "2026-11-24"
    bought: str = "2026-11-12T15:00:00Z"
    item: str = "item-lamp"
    title: str | Mapping[str, str] = "A Lamp for Reading"
    amount_minor: int = 2_400
    shipping_minor: int = 499
    currency: str = "USD"
    carrier: str = "usps"
    shipped: bool = True
    country: str = "US"
    address: tuple[float, float] = BERKELEY
    locale: str = "en-US"
    timezone: str = "America/Los_Angeles"
    voice: str = "plain"
    buyer: str | None = None
    scans: tuple[Scan, ...] = ()
    contacts: tuple[Contact, ...] = ()

    @property
    def customer(self) -> str:
        """Whose order it is, by the name alone."""
        return self.buyer or self.name

    @property
    def tracking_number(self) -> str:
        """The parcel as its carrier names it."""
        return f"{self.carrier.upper()}-{self.name}"

    def scanned(  # noqa: PLR0913 - a scan says as much
        self,
        event_time: str,
        status: str = "in_transit",
        reason: str | None = None,
        *,
        proof: str | None = None,
        place: tuple[float, float] | None = None,
        depot: str | None = None,
    ) -> Self:
        """One scan more."""
        lat, lon = place or (None, None)
        scan = Scan(
            tracking_number=self.tracking_number,
            carrier=self.carrier,
            event_time=event_time,
            status=status,
            reason=reason,
            proof=proof,
            lat=lat,
            lon=lon,
            depot=depot,
        )
        return replace(self, scans=(*self.scans, scan))

    def travels(self, day: str, *depots: str) -> Self:
        """A scan on each day from `day` on, one a depot."""
        first = datetime.fromisoformat(day).replace(hour=9, tzinfo=UTC)
        sale = self.scanned(rfc3339(first - timedelta(hours=15)), "picked_up")
        for later, depot in enumerate(depots):
            sale = sale.scanned(rfc3339(first + timedelta(days=later)), depot=depot)
        return sale

    def delivered(self, event_time: str, proof: str | None = None, place: tuple[float, float] | None = None) -> Self:
        """The scan at the door."""
        return self.scanned(event_time, "delivered", proof=proof, place=place)

    def takes_back(self, event_time: str, status: str) -> Self:
        """The carrier says that the scan of that time and status never happened."""
        return self.scanned(event_time, status, "did_not_occur")

    def says(
        self, event_time: str, topic: str, *, received: str | None = None, language: str = "en", voice: str = "plain"
    ) -> Self:
        """The customer gets in touch."""
        contact = Contact(
            contact_id=f"contact-{self.name}-{event_time[:10]}",
            customer_id=f"customer-{self.customer}",
            order_line_id=f"line-{self.name}",
            event_time=event_time,
            topic=topic,
            language=language,
            voice=voice,
            received_item_id=received,
        )
        return replace(self, contacts=(*self.contacts, contact))


def rfc3339(moment: datetime) -> str:
    """A moment as the files write it: `2026-11-21T20:04:31Z`."""
    return f"{moment:%Y-%m-%dT%H:%M:%SZ}"
