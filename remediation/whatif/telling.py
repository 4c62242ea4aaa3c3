"""The answer as a person reads it at a terminal, and as a program does."""

from collections.abc import Iterator, Sequence
from dataclasses import asdict
from typing import Final

from remediation.money import Money
from remediation.report.formats import amount, counted, day, listed, one_line
from remediation.report.words import action_name, kind_name
from remediation.whatif.answer import Answer
from remediation.whatif.difference import Customer, Difference, Fate, Kind, Run

_LABEL: Final = 12
_SHOWN_DIGITS: Final = 8
_FATES: Final[dict[Fate, str]] = {
    "same": "helped as before",
    "more": "helped more",
    "less": "helped less",
    "otherwise": "helped in another way",
    "waits": "waiting for a person instead",
    "no_longer": "no longer helped",
    "helped": "helped only now",
}


def as_text(answer: Answer) -> str:
    """Everything that would be different, in lines: figures of then, an arrow, figures of the other policy."""
    return "".join(f"{line}\n" for line in _lines(answer))


def as_json(answer: Answer) -> dict[str, object]:
    """All figures, also those that would be the same; amounts are in minor units."""
    found = answer.difference
    return {
        "policy_sha256": answer.policy_sha256,
        "policies": list(answer.policies),
        "is_none": found.is_none,
        "changes": [asdict(change) for change in answer.changes],
        "findings": asdict(answer.tally),
        **{name: part for name, part in asdict(found).items() if name != "customers"},
        "runs_held": asdict(found.runs_held),
        "notes": list(answer.notes),
    }


def listing(found: Difference, fate: Fate) -> Iterator[str]:
    """One line each of the customers who fare so: id, order lines, and what they get."""
    for customer in found.customers:
        if customer.fate == fate:
            yield f"{customer.customer_id}  {', '.join(customer.order_line_ids)}  {_help(customer)}"


def _lines(answer: Answer) -> Iterator[str]:
    found = answer.difference
    yield from _heading(answer)
    if found.is_none:
        yield "nothing would have been different"
    else:
        yield from _totals(found)
        yield from _parts(found)
        for run in found.runs:
            if run.differs:
                yield from _run(run)
    yield from (f"note: {each}" for each in answer.notes)


def _heading(answer: Answer) -> Iterator[str]:
    runs, tally = answer.difference.runs, answer.tally
    tried, *others = dict.fromkeys(each[:_SHOWN_DIGITS] for each in (answer.policy_sha256, *answer.policies))
    same = "as then" if not others else f"instead of {listed(tuple(others))}"
    yield _line("policy", f"{tried}, {same}")
    for change in answer.changes:
        yield _line("", f"{one_line(change.name)} {one_line(str(change.before))} → {one_line(str(change.after))}")
    moments = dict.fromkeys(day(run.as_of) for run in (runs[0], runs[-1]))
    yield _line("replayed", f"{counted(len(runs), 'run')}, {' to '.join(moments)}")
    yield _line("findings", f"{tally.judged:,} judged anew, {tally.standing:,} as they were decided then")


def _totals(found: Difference) -> Iterator[str]:
    before, after = found.sides.before, found.sides.after
    yield _line("remedies", f"{_step(before.approved, after.approved)} approved, {_step(before.held, after.held)} held")
    yield _line("to be paid", _steps(before.paid, after.paid))
    yield _line("held back", _steps(before.waiting, after.waiting))
    yield _line("goods", _step(before.goods, after.goods))
    yield _line(
        "declined",
        f"{_step(before.declined, after.declined)} declined, {_step(before.reviews, after.reviews)} for review",
    )
    yield _line("runs held", _step(found.runs_held.before, found.runs_held.after))
    fates = [f"{found.fates[fate]:,} {said}" for fate, said in _FATES.items() if found.fates[fate]]
    yield _line("customers", ", ".join(fates) or "nobody helped")


def _parts(found: Difference) -> Iterator[str]:
    """Only what differs."""
    yield from _under("remedies by failure and action", [_kind(kind) for kind in found.kinds if kind.sums.differ])
    for title, counts in (
        ("why a person must decide", found.reasons),
        ("why nothing follows by itself", {name.replace("_", " "): both for name, both in found.codes.items()}),
    ):
        rows = [f"{_step(both.before, both.after)}  {one_line(name)}" for name, both in counts.items() if both.differ]
        yield from _under(title, rows)


def _under(title: str, rows: Sequence[str]) -> Iterator[str]:
    if rows:
        yield title
        yield from (f"  {row}" for row in rows)


def _kind(kind: Kind) -> str:
    failures = listed(tuple(map(kind_name, kind.failures))) or "Unknown"
    before, after = kind.sums.before, kind.sums.after
    money = f", {_steps(before.money, after.money)}" if before.money or after.money else ""
    return f"{failures}, {action_name(kind.action)}: {_step(before.count, after.count)}{money}"


def _run(run: Run) -> Iterator[str]:
    before, after = run.sides.before, run.sides.after
    yield f"run of {day(run.as_of)} ({one_line(run.run_id)[:_SHOWN_DIGITS]})"
    decided = f"{_step(before.approved, after.approved)} approved, {_step(before.held, after.held)} held"
    yield f"  {decided}; {_steps(before.paid, after.paid)}"
    if run.states.differ or run.guards.differ:
        yield f"  {run.states.before} → {run.states.after}"
        new = set(run.guards.after) - set(run.guards.before)
        yield from (f"  {one_line(each.reason, 500)}" for each in run.objections.after if each.guard in new)


def _help(customer: Customer) -> str:
    goods = customer.goods
    sent = f", goods {_step(goods.before, goods.after)}" if goods.before or goods.after else ""
    return f"{_steps(customer.paid.before, customer.paid.after)}{sent}"


def _line(label: str, value: str) -> str:
    return f"{label:<{_LABEL}} {value}"


def _step(before: int, after: int) -> str:
    return f"{before:,}" if before == after else f"{before:,} → {after:,}"


def _steps(before: Sequence[Money], after: Sequence[Money]) -> str:
    """Currency by currency: `3.99 EUR → 1.99 EUR, 440 JPY`."""
    then, now = ({each.currency: each.minor for each in money} for money in (before, after))
    steps = [
        [amount(Money(minor.get(currency, 0), currency)) for minor in (then, now)] for currency in sorted({*then, *now})
    ]
    return ", ".join(" → ".join(dict.fromkeys(step)) for step in steps) or "nothing"
