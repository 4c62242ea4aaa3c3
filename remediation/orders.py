"""Orders, customers and playback grants: what the service itself knows, checked at the edge."""

from collections.abc import Mapping
from datetime import date, datetime
from typing import Annotated, Any, Final, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, EmailStr, Field, StringConstraints

MAX_ID_LENGTH: Final = 200
MAX_TITLE_LENGTH: Final = 2_000
MAX_TITLE_LOCALES: Final = 1_000

OrderKind = Literal["rental", "purchase", "subscription", "goods"]
Voice = Literal["plain", "warm", "playful"]


def _epoch_ms(value: Any) -> Any:
    """RFC 3339 text with a zone becomes milliseconds since the epoch; anything else passes on to be judged."""
    if not isinstance(value, str):
        return value
    moment = datetime.fromisoformat(value)
    if moment.tzinfo is None:
        raise ValueError("a time needs its zone, such as 2026-11-21T20:00:00Z")
    return round(moment.timestamp() * 1000)


Id = Annotated[str, StringConstraints(min_length=1, max_length=MAX_ID_LENGTH, pattern=r"^[^\x00-\x1f\x7f-\x9f]+$")]
_Ms = Annotated[int, Field(ge=0, lt=10**14)]
_Rfc3339 = Annotated[str, Field(json_schema_extra={"format": "date-time"})]
EpochMs = Annotated[_Ms, BeforeValidator(_epoch_ms, json_schema_input_type=_Ms | _Rfc3339)]
Minor = Annotated[int, Field(ge=0, lt=10**12)]
Title = Annotated[str, StringConstraints(max_length=MAX_TITLE_LENGTH)]
Currency = Annotated[str, StringConstraints(pattern=r"^[A-Z]{3}$")]


class Record(BaseModel):
    """Strict: no unknown fields, no coercion, no NaN, no change afterwards."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, allow_inf_nan=False)


class ShipTo(Record):
    """Where a parcel goes: country (ISO 3166-1 alpha-2) and, if known, the point. No street, no name."""

    country: Annotated[str, StringConstraints(pattern=r"^[A-Z]{2}$")]
    lat: Annotated[float, Field(ge=-90, le=90)] | None = None
    lon: Annotated[float, Field(ge=-180, le=180)] | None = None


class OrderLine(Record):
    """One item of one order as it was paid. `amount_minor` excludes `shipping_minor`; both are in `currency`.

    `title` is the catalogue's text, or texts by locale; `promised_date` is a day in the customer's zone.
    """

    order_line_id: Id
    order_id: Id
    customer_id: Id
    kind: OrderKind
    item_id: Id
    title: Title | Annotated[Mapping[str, Title], Field(max_length=MAX_TITLE_LOCALES)]
    quantity: Annotated[int, Field(ge=1, lt=10**6)] = 1
    amount_minor: Minor
    shipping_minor: Minor = 0
    currency: Currency
    payment_id: Id | None = None
    purchased_at: EpochMs
    available_until: EpochMs | None = None
    promised_date: date | None = None
    tracking_number: Id | None = None
    carrier: Id | None = None
    ship_to: ShipTo | None = None


class Customer(Record):
    """Whom we write to, in which language, zone and voice. The only record that holds a name or an address."""

    customer_id: Id
    email: EmailStr
    name: Annotated[str, StringConstraints(max_length=500)] | None = None
    locale: Annotated[
        str,
        # RFC 5646 reckons with 35 characters; every prefix of it is looked for.
        StringConstraints(max_length=35, pattern=r"^[A-Za-z]{2,3}([-_][A-Za-z0-9]{2,8})*$"),
    ] = "en"
    timezone: Annotated[str, StringConstraints(max_length=64)] = "UTC"
    voice: Voice = "plain"


class Stock(Record):
    """How many of an item can be sent now."""

    item_id: Id
    available: Annotated[int, Field(ge=0, lt=10**9)]


class Grant(Record):
    """The service's own word on who watched what: it binds a session to its customer and order line."""

    session_id: Id
    customer_id: Id
    order_line_id: Id
    granted_at: EpochMs
