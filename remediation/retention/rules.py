"""How long things are kept. `remediation/policy/default.toml` holds the days and their reasons."""

from typing import Annotated, Final

from pydantic import Field

from remediation.policy.shares import Section

LOOKBACK_DAYS: Final = 180
"""An order line is judged for so long, and needs its scans, contacts and permissions until then."""
_MOST: Final = 36_500

Days = Annotated[int, Field(ge=30, le=_MOST)]
JudgedDays = Annotated[int, Field(ge=LOOKBACK_DAYS, le=_MOST)]


class RetentionRules(Section):
    """The section `[retention]` of the policy, in days."""

    mail_texts: Days
    evidence: Days
    contacts: JudgedDays
    scans: JudgedDays
    destinations: JudgedDays
    grants: JudgedDays
    surveys: Days
    session_prints: Days
    customers: JudgedDays
