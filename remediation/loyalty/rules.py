"""When customers are asked how likely they are to recommend the service."""

from typing import Annotated, Self

from pydantic import Field, model_validator

from remediation.policy.shares import Section

_Days = Annotated[int, Field(ge=1, le=365)]


class SurveyRules(Section):
    """The section `[survey]` of the policy; days are counted from the apology."""

    enabled: bool
    after_days: _Days
    until_days: _Days
    every_days: _Days

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.after_days >= self.until_days:
            raise ValueError("after_days must be less than until_days")
        return self
