"""What the templates may print, and nothing else."""

from collections.abc import Mapping
from dataclasses import dataclass

from detectors.finding import Kind, Scalar
from remediation.notices.legible import Direction


@dataclass(frozen=True, slots=True)
class Done:
    """One thing that has been done, by the name of its sentence in `templates/email/done`, and its amount as it reads.

    The amount is empty where no money moved.
    """

    name: str
    amount: str = ""


@dataclass(frozen=True, slots=True)
class Letter:
    """One mail before it has words. Whatever came from outside is one legible line here.

    `telling` names the body of `kind`. `evidence` holds the known figures of
    the leading finding, in the units of their names; `when` is its time and
    `days` are its days in the customer's zone. `headline` is what the subject
    tells of `done`, `notes` are the sentences after it.
    """

    kind: Kind
    telling: str
    language: str
    direction: Direction
    title: str
    order: str
    evidence: Mapping[str, Scalar]
    when: str
    days: Mapping[str, str]
    headline: Done
    done: tuple[Done, ...]
    notes: tuple[str, ...]
