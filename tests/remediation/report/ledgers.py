"""A small ledger, filled fact by fact through the code that fills the real one."""

from datetime import date

from sqlalchemy import Engine, Table, insert, update

from detectors.finding import Finding
from remediation.ledger import tables
from remediation.ledger.journal import record
from remediation.ledger.resolution import Resolution
from remediation.ledger.run import Run, start_run
from remediation.orders import Customer, Grant
from remediation.remedy import Declined, Remedy
from remediation.report.explain import explain
from tests.remediation.ledger.evenings import GENEROUS
from tests.remediation.report.nights import EVENING, MORNING, POLICY, a_mail

DAY = 24 * 3_600_000
NOON = MORNING + 6 * 3_600_000
RUN = Run(MORNING, POLICY, "1", inputs=())
PERSON = Customer(customer_id="customer-1", email="ilse.lund@example.com", name="Ilse Lund")


class Ledger:
    """A small ledger, filled fact by fact."""

    def __init__(self, empty: Engine) -> None:
        self.engine = empty
        self._insert(tables.CUSTOMERS, **PERSON.model_dump())

    def sold(self, order_line: str = "line-1", order: str = "order-1", title: object = "Casablanca") -> None:
        self._insert(
            tables.ORDER_LINES,
            order_line_id=order_line,
            order_id=order,
            customer_id="customer-1",
            kind="rental",
            item_id="film-1",
            title=title,
            quantity=1,
            amount_minor=299,
            shipping_minor=0,
            currency="USD",
            purchased_at=EVENING - 3_600_000,
        )

    def promised(self, order_line: str = "line-1", **details: object) -> None:
        """Goods, promised for a day and handed to a carrier."""
        self.sold(order_line, title="Runes for Beginners")
        goods = {
            "kind": "goods",
            "promised_date": date(2026, 11, 20),
            "carrier": "usps",
            "tracking_number": "USPS-1",
            "ship_to": {"country": "US", "lat": 37.87, "lon": -122.27},
        }
        lines = tables.ORDER_LINES
        with self.engine.begin() as connection:
            connection.execute(
                update(lines).where(lines.c.order_line_id == order_line).values(shipping_minor=499, **(goods | details))
            )

    def scanned(self, status: str, minute: int, **known: object) -> None:
        self._insert(
            tables.SCANS,
            scan_id=f"scan-{minute}-{known.get('reason')}",
            event_time=EVENING + minute * 60_000,
            status=status,
            **{"tracking_number": "USPS-1", **known},
        )

    def heard(self, topic: str, minute: int, **known: object) -> None:
        self._insert(
            tables.CONTACTS,
            contact_id=f"contact-{minute}",
            customer_id="customer-1",
            order_line_id="line-1",
            event_time=EVENING + minute * 60_000,
            topic=topic,
            **known,
        )

    def blamed(self, claim: str, subject: str, subject_id: str) -> None:
        """A ticket that names one subject."""
        start_run(self.engine, RUN)
        ticket = {
            "ticket_id": "ticket-1",
            "incident_id": "incident-1",
            "number": 1,
            "kind": "depot",
            "cohort": {"depot": "SPARKS, NV"},
            "failure_kinds": ["lost"],
            "claim": claim,
            "fault": "carrier",
            "affected_count": 1,
            "confirmed_by_customers": 0,
            "suggested_action": "Call the carrier.",
            "state": "open",
            "opened_at": MORNING,
            "as_of": MORNING,
            "run_id": RUN.run_id,
        }
        self._insert(tables.TICKETS, **ticket)
        line = {"subject_type": subject, "subject_id": subject_id, "occurred_at": EVENING}
        self._insert(tables.TICKET_LINES, ticket_id="ticket-1", **line)

    def granted(self, session: str, order_line: str = "line-1") -> None:
        grant = Grant(session_id=session, customer_id="customer-1", order_line_id=order_line, granted_at=EVENING)
        self._insert(tables.GRANTS, **grant.model_dump())

    def decided(self, remedy: Remedy, *findings: Finding, mailed: bool = False, days_later: int = 0) -> None:
        resolution = Resolution(
            findings,
            remedy=remedy,
            evidence_sha256="0" * 64,
            mail=a_mail(remedy) if mailed else None,
            not_before=NOON,
        )
        record(self.engine, Run(MORNING + days_later * DAY, POLICY, "1", inputs=()), [resolution], GENEROUS)

    def refused(self, declined: Declined, *findings: Finding) -> None:
        record(self.engine, RUN, [Resolution(findings, declined=declined)], GENEROUS)

    def paid(self, remedy: Remedy) -> None:
        outbox = tables.OUTBOX
        row = update(outbox).where(outbox.c.remedy_id == remedy.remedy_id, outbox.c.kind == "refund")
        with self.engine.begin() as connection:
            connection.execute(row.values(state="settled", attempts=1, provider_reference="re_1", settled_at=NOON))

    def says(self, known_id: str) -> str:
        return explain(self.engine, known_id).as_text()

    def _insert(self, table: Table, **values: object) -> None:
        with self.engine.begin() as connection:
            connection.execute(insert(table).values(**values))
