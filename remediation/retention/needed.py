"""What an open case still needs, whatever its age."""

from sqlalchemy import ColumnElement, CompoundSelect, Select, Subquery, and_, or_, select, union

from remediation.ledger.control_tables import BLOCKS, REVIEWS
from remediation.ledger.parcels import LOOKBACK_MS
from remediation.ledger.tables import DECLINED, FINDINGS, ORDER_LINES, OUTBOX, REMEDIES
from remediation.outbox.states import FINAL, State


def needed_lines(now: int) -> Subquery:
    """Order lines of which nothing may go: `order_line_id`, `tracking_number`, `customer_id`.

    Those that are still judged at `now` (milliseconds since the epoch), and those
    with a held remedy, something that is not sent or settled (whatever its run
    waits for), a doubtful finding that nobody has closed, or a block.
    """
    line = select(ORDER_LINES.c.order_line_id, ORDER_LINES.c.tracking_number, ORDER_LINES.c.customer_id)
    of_remedy = line.join(REMEDIES, REMEDIES.c.order_line_id == ORDER_LINES.c.order_line_id)
    cases: tuple[Select[tuple[str, str, str]], ...] = (
        line.where(ORDER_LINES.c.purchased_at >= now - LOOKBACK_MS),
        of_remedy.where(REMEDIES.c.state.in_(("proposed", "held"))),
        of_remedy.join(OUTBOX, OUTBOX.c.remedy_id == REMEDIES.c.remedy_id).where(_is_unsettled()),
        line.join(DECLINED, DECLINED.c.order_line_id == ORDER_LINES.c.order_line_id).where(_is_doubtful()),
        line.join(BLOCKS, BLOCKS.c.order_line_id == ORDER_LINES.c.order_line_id),
    )
    every: CompoundSelect[tuple[str, str, str]] = union(*cases)
    return every.subquery("needed")


def doubted() -> ColumnElement[bool]:
    """Whether a finding is about something that waits for a person, bound to an order line or not."""
    about = (DECLINED.c.subject_type == FINDINGS.c.subject_type, DECLINED.c.subject_id == FINDINGS.c.subject_id)
    return select(DECLINED.c.declined_id).where(*about, _is_doubtful()).exists()


def _is_doubtful() -> ColumnElement[bool]:
    of_it = (REVIEWS.c.subject_type == "declined", REVIEWS.c.subject_id == DECLINED.c.declined_id)
    return and_(DECLINED.c.outcome == "review", ~select(REVIEWS.c.number).where(*of_it).exists())


def _is_unsettled() -> ColumnElement[bool]:
    """A refund that was taken on may still fail for a while; a mail or goods that were taken on are done."""
    return or_(OUTBOX.c.state.not_in(FINAL), and_(OUTBOX.c.kind == "refund", OUTBOX.c.state == State.SENT))
