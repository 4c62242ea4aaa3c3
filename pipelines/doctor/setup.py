"""What was told to the program: the environment, the policy, the keys of beacons."""

import difflib
from collections.abc import Iterator, Mapping
from typing import Final

from pipelines.doctor.lines import Line, State
from pipelines.inputs import BUILT_IN_POLICY, read_holdout, read_keys, read_policy
from pipelines.settings import holdout_key

PREFIX: Final = "MAKEGOOD_"

KNOWN: Final = (
    *("MAKEGOOD_ACTOR", "MAKEGOOD_BEACON_KEYS", "MAKEGOOD_LEDGER", "MAKEGOOD_LOG_FORMAT", "MAKEGOOD_LOG_LEVEL"),
    *("MAKEGOOD_HOLDOUT_KEY", "MAKEGOOD_MAIL_FROM", "MAKEGOOD_MAIL_REPLY_TO", "MAKEGOOD_BOUNCES_TO"),
    *("MAKEGOOD_SMTP_USER", "MAKEGOOD_SMTP_PASSWORD", "MAKEGOOD_SMTP_CA"),
    *("MAKEGOOD_STRIPE_KEY", "MAKEGOOD_STRIPE_URL", "MAKEGOOD_STRIPE_WEBHOOK_SECRETS"),
    *("MAKEGOOD_GOODS_URL", "MAKEGOOD_GOODS_SECRETS", "MAKEGOOD_GOODS_CA"),
    *("MAKEGOOD_SURVEY_URL", "MAKEGOOD_UNSUBSCRIBE_URL", "MAKEGOOD_SURVEY_KEYS"),
)
"""Every variable that some command reads."""


def environment_lines(environment: Mapping[str, str]) -> Iterator[Line]:
    """Which variables are set, by name alone: their values may be secrets."""
    named = sorted(name for name in environment if name.startswith(PREFIX))
    known = [name for name in named if name in KNOWN]
    yield Line("environment", State.OK, f"set: {', '.join(known)}" if known else "no variable is set")
    for name in named:
        if name in KNOWN:
            if not environment[name].strip():
                yield Line("environment", State.WARN, f"{name} is empty", "set it, or unset it")
            continue
        near = difflib.get_close_matches(name, KNOWN, n=1)
        guess = f"; {near[0]} is meant?" if near else ""
        yield Line("environment", State.WARN, f"{name} is read by no command{guess}", "correct its name, or unset it")


def policy_lines(path: str | None) -> Iterator[Line]:
    """Whether the policy can be used; raises as a night would."""
    policy, _ = read_policy(path)
    read_holdout(policy, holdout_key())
    yield Line("policy", State.OK, f"{path or BUILT_IN_POLICY} can be used ({policy.sha256[:12]})")


def key_lines(path: str | None) -> Iterator[Line]:
    """Whether the keys of beacons can be read; raises as a night would."""
    keys, _ = read_keys(path)
    if keys is not None:
        yield Line("beacon keys", State.OK, f"{path} holds {len(keys.keys):,} keys")
