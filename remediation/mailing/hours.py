"""The hours of a customer's day in which mails may go out, by the policy under which their remedy was decided."""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any, Self

from sqlalchemy import Connection, select

from remediation.ledger.control_tables import POLICIES


@dataclass(frozen=True, slots=True)
class Hours:
    """From this hour on, and before that one."""

    start: int
    end: int

    @classmethod
    def of(cls, policy: Mapping[str, Any]) -> Self:
        """Those of a policy's content: the two figures alone, since the sender starts in no time without its model."""
        return cls(int(policy["mail"]["from_hour"]), int(policy["mail"]["until_hour"]))


def hours(connection: Connection, policy_sha256: str) -> Hours:
    """The hours of the policy with this digest; those of the built-in one where the ledger does not hold it."""
    known = POLICIES.c.policy_sha256 == policy_sha256
    content = connection.execute(select(POLICIES.c.content).where(known)).scalar()
    return _built_in() if content is None else Hours.of(content)


@cache
def _built_in() -> Hours:
    text = resources.files("remediation.policy").joinpath("default.toml").read_text(encoding="utf-8")
    return Hours.of(tomllib.loads(text))
