"""What the templates may print, and nothing else."""

from collections.abc import Mapping
from dataclasses import dataclass

from detectors.finding import Kind, Scalar
from remediation.notices.legible import Direction
from remediation.remedy import ActionKind


@dataclass(frozen=True, slots=True)
class Done:
    """One thing that has been done, and its amount as it reads; `templates/email/done` says each kind."""

    kind: ActionKind
    amount: str


@dataclass(frozen=True, slots=True)
class Letter:
    """One mail before it has words. Whatever came from outside is one legible line here.

    `evidence` holds the known figures of the leading finding, in the units of
    their names; `when` is its time in the customer's zone.
    """

    kind: Kind
    language: str
    direction: Direction
    title: str
    order: str
    evidence: Mapping[str, Scalar]
    when: str
    done: tuple[Done, ...]
