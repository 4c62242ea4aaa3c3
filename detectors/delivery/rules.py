"""The figures of the delivery standard. `remediation/policy/default.toml` holds their values and their evidence."""

from collections.abc import Mapping
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

Days = Annotated[int, Field(ge=0, le=365)]


class _Figures(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, allow_inf_nan=False)


class CarrierDays(_Figures):
    """One carrier's patience, in days without any scan."""

    lost_domestic: Days  # calendar days since the last scan
    lost_abroad: Days
    never_scanned: Days  # working days of the merchant's country after purchase


class Late(_Figures):
    """When a parcel is late: calendar days after the promised day, in the customer's zone."""

    grace: Days


class Proof(_Figures):
    """When a proof of delivery counts against the carrier, and when against the claim."""

    far_m: Annotated[int, Field(ge=0)]  # a scan farther from the address than this was made elsewhere
    many_reports: Annotated[int, Field(ge=2)]  # this many reports of one customer within `reports_days`
    reports_days: Days


class DeliveryRules(_Figures):
    """The section `[delivery]` of the policy. `carriers` has an entry `default`."""

    merchant_country: Annotated[str, Field(pattern=r"^[A-Z]{2}$")]  # domestic is what stays in it
    carriers: Mapping[str, CarrierDays]
    late: Late
    proof: Proof

    def carrier(self, name: str | None) -> CarrierDays:
        """The figures of a carrier, by its name in lower case, or the default's."""
        return self.carriers.get((name or "").lower(), self.carriers["default"])
