"""What has been done, sorted into the sentences that say it."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from remediation.money import Money
from remediation.notices.display import Display
from remediation.notices.letter import Done
from remediation.remedy import Action, ActionKind, Remedy

MONEY: Final[frozenset[ActionKind]] = frozenset({"refund", "shipping_refund", "credit"})
_REFUNDS: Final[frozenset[ActionKind]] = frozenset({"refund", "shipping_refund"})
_GOODS: Final[tuple[ActionKind, ...]] = ("replacement", "exchange")
_ORDINARY_SERVICE: Final = frozenset({None, "standard"})


@dataclass(frozen=True, slots=True)
class Deeds:
    """`done` in the remedy's own order, the one the subject tells (`headline`), and the `notes` that follow."""

    headline: Done
    done: tuple[Done, ...]
    notes: tuple[str, ...]


def deeds(remedy: Remedy, display: Display, *, corrected: bool) -> Deeds:
    """The sentences of a remedy with one action or more; `corrected` adds that the listing was put right."""
    done = [Done(_sentence(action), _amount([action], remedy, display)) for action in remedy.actions]
    if corrected:
        done.append(Done("correction"))
    return Deeds(_headline(remedy, display), tuple(done), tuple(_notes(remedy.actions)))


def _headline(remedy: Remedy, display: Display) -> Done:
    """Money back comes first, and all of it: a subject with a part of the sum would contradict the mail."""
    refunds = [action for action in remedy.actions if action.kind in _REFUNDS]
    if refunds:
        return Done("refund", _amount(refunds, remedy, display))
    goods = next((action.kind for action in remedy.actions if action.kind in _GOODS), None)
    if goods:
        return Done(goods)
    return Done(remedy.actions[0].kind, _amount(remedy.actions, remedy, display))


def _notes(actions: Sequence[Action]) -> Iterator[str]:
    kinds = {action.kind for action in actions}
    if kinds & _REFUNDS:
        yield "refund"
    elif kinds & {*_GOODS}:
        yield "goods"


def _sentence(action: Action) -> str:
    """Service levels are told by sentences of their own, so that an unknown one has none and is never guessed."""
    return action.kind if action.service_level in _ORDINARY_SERVICE else f"{action.kind}_{action.service_level}"


def _amount(actions: Iterable[Action], remedy: Remedy, display: Display) -> str:
    total = sum(action.amount_minor or 0 for action in actions)
    return display.money(Money(total, remedy.currency)) if total else ""
