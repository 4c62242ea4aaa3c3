"""The policies under which something was decided, whole: an old decision is explained and finished under its own."""

from typing import Final

from pydantic import ValidationError
from sqlalchemy import Connection, Engine, select

from remediation.database import writing
from remediation.ledger.control_tables import POLICIES
from remediation.ledger.sql import insert_new
from remediation.policy.load import default_policy
from remediation.policy.model import Policy


def keep_policy(engine: Engine, policy: Policy) -> None:
    """Writes the policy down, once."""
    with writing(engine) as connection:
        insert_new(connection, POLICIES, [{"policy_sha256": policy.sha256, "content": policy.model_dump(mode="json")}])


def policy_of(connection: Connection, policy_sha256: str) -> Policy:
    """The policy with this digest.

    A ledger from before policies were kept does not hold it, and one that an older
    program kept may lack a figure: then the built-in one says what an approval
    needs and when a mail may go out.
    """
    known = POLICIES.c.policy_sha256 == policy_sha256
    content = connection.execute(select(POLICIES.c.content).where(known)).scalar()
    return default_policy() if content is None else _read(policy_sha256, content)


def _read(policy_sha256: str, content: object) -> Policy:
    """Read once a process: it is asked for with every mail."""
    if policy_sha256 not in _READ:
        try:
            _READ[policy_sha256] = Policy.model_validate(content)
        except ValidationError:
            _READ[policy_sha256] = default_policy()
    return _READ[policy_sha256]


_READ: Final[dict[str, Policy]] = {}
