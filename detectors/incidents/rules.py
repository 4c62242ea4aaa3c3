"""The figures of the search for causes. `remediation/policy/default.toml` holds their values and their evidence."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field


class IncidentRules(BaseModel):
    """The section `[incidents]` of the policy: when failures that share something are an incident."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, allow_inf_nan=False)

    min_units: Annotated[int, Field(ge=1)]  # sessions or parcels in the cohort, and at least as many in the rest
    min_failures: Annotated[int, Field(ge=1)]  # failures of the cohort, and customers who had them
    q_value: Annotated[float, Field(gt=0, lt=1)]  # bound on the share of false alarms among all incidents
    min_ratio: Annotated[float, Field(ge=1)]  # the cohort's share of failures against that of the rest
