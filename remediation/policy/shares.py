"""What the sections of the policy are made of: strict models, tiers, and a share for each tier."""

from typing import Annotated, Final, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

Tier = Literal["mild", "moderate", "severe"]
RANK: Final[dict[Tier, int]] = {"mild": 0, "moderate": 1, "severe": 2}
Percent = Annotated[int, Field(ge=0, le=100)]


def worse(tier: Tier) -> Tier:
    """The next tier up; nothing is worse than severe."""
    return "moderate" if tier == "mild" else "severe"


class Section(BaseModel):
    """A part of the policy: nothing may be missing, added or of another type."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, allow_inf_nan=False)


class Shares(Section):
    """What one kind of failure owes at each tier, in percent."""

    mild: Percent
    moderate: Percent
    severe: Percent

    @model_validator(mode="after")
    def _worse_owes_no_less(self) -> Self:
        if not self.mild <= self.moderate <= self.severe:
            raise ValueError("a worse tier must not owe less than a milder one")
        return self

    def at(self, tier: Tier) -> int:
        """The percentage at `tier`."""
        return {"mild": self.mild, "moderate": self.moderate, "severe": self.severe}[tier]
