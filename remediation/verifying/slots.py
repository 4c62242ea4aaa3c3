"""Pay-out slots: one of each number on an order line, and ids that name what they stand for."""

from collections.abc import Iterator

from sqlalchemy import Connection, func, select, union_all

from detectors.finding import content_id
from remediation.ledger.survey_tables import SURVEYS
from remediation.ledger.tables import MAILS, OUTBOX, REMEDIES
from remediation.verifying.breach import Breach

PAGE_ROWS = 10_000


def one_each(connection: Connection, _now: int) -> Iterator[Breach]:
    """Slots with more than one remedy, and remedies with more than one item of a kind."""
    slot = (REMEDIES.c.order_line_id, REMEDIES.c.number)
    for row in connection.execute(select(*slot, func.count().label("found")).group_by(*slot).having(func.count() > 1)):
        yield Breach("remedies", row.order_line_id, f"{row.found} remedies are its pay-out {row.number}")
    item = (OUTBOX.c.remedy_id, OUTBOX.c.kind)
    for row in connection.execute(select(*item, func.count().label("found")).group_by(*item).having(func.count() > 1)):
        yield Breach("outbox", row.remedy_id, f"this remedy has {row.found} items of the kind {row.kind}")


def remedy_ids(connection: Connection, _now: int) -> Iterator[Breach]:
    """Remedies whose id is not that of their slot: the slot could then be paid once more under the right one."""
    query = select(REMEDIES.c.remedy_id, REMEDIES.c.order_line_id, REMEDIES.c.number)
    for row in connection.execute(query.execution_options(yield_per=PAGE_ROWS)):
        named = content_id(order_line_id=row.order_line_id, payout_number=str(row.number))
        if row.remedy_id != named:
            told = f"pay-out {row.number} of order line {row.order_line_id} has the id {named}"
            yield Breach("remedies", row.remedy_id, told)


def item_ids(connection: Connection, _now: int) -> Iterator[Breach]:
    """Items whose id, which is the key that a provider sees, is not that of their remedy and kind."""
    query = select(OUTBOX.c.outbox_id, OUTBOX.c.remedy_id, OUTBOX.c.kind)
    for row in connection.execute(query.execution_options(yield_per=PAGE_ROWS)):
        named = content_id(remedy_id=row.remedy_id, kind=row.kind)
        if row.outbox_id != named:
            yield Breach("outbox", row.outbox_id, f"the {row.kind} of remedy {row.remedy_id} has the id {named}")


def one_mail_each(connection: Connection, _now: int) -> Iterator[Breach]:
    """Mails that share a Message-ID, so that one of them would be taken for the other's repetition."""
    every = union_all(select(MAILS.c.message_id), select(SURVEYS.c.message_id)).subquery()
    key = every.c.message_id
    query = select(key, func.count().label("found")).group_by(key).having(func.count() > 1)
    for row in connection.execute(query):
        yield Breach("mails", row.message_id, f"{row.found} mails have this message_id")
