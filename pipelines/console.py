"""What a person at a terminal sees: rich where it is one, plain lines where it is not."""

import logging
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final

from rich import box
from rich.console import Console
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from pipelines import logs
from pipelines.nightly import Table as SessionTable
from remediation.report.formats import one_line
from remediation.report.night import Night
from remediation.report.text import NOTHING_CHANGED, balance, summary_lines

SHOWN_REJECTS: Final = 10
_LOG: Final = logging.getLogger(__name__)


def print_night(night: Night, show_mail: str | None) -> None:
    """The table of the night; then, if asked for, the mail of one order line."""
    console = Console(highlight=False, soft_wrap=not sys.stdout.isatty())
    table = Table(box=box.SIMPLE_HEAD if console.is_terminal else None, show_header=False, title="The night")
    table.add_column(style="bold", no_wrap=True)
    table.add_column()
    for line in summary_lines(night):
        table.add_row(line.label, Text(line.value))
    console.print(table)
    if not night.new:
        console.print(Text(f"{NOTHING_CHANGED.capitalize()}."))
    if show_mail:
        _print_mail(console, night, show_mail)


@contextmanager
def progress() -> Iterator[Callable[[str], None]]:
    """Gives the function that says what is being done: a moving line on a terminal, plain lines where it is none.

    Where log lines are written, this is one of them.
    """
    if logs.form() is not logs.LogFormat.OFF:
        yield _LOG.info
        return
    console = Console(stderr=True, highlight=False, soft_wrap=True)
    if not console.is_terminal:
        yield lambda step: console.print(Text(step))
        return
    with console.status("starting") as status:
        yield lambda step: status.update(Text(step))


def print_table_counts(table: SessionTable) -> None:
    """What became of the records, on standard error: standard output may carry the table itself."""
    console = Console(stderr=True, highlight=False, soft_wrap=True)
    console.print(Text(f"{table.sessions.height:,} sessions; {balance(table.counts)}"))
    for reject in table.rejects[:SHOWN_REJECTS]:
        source = one_line(reject.source)
        place = f"{source}:{reject.line}" if reject.line else source
        console.print(Text(f"  {place}: {reject.code}: {reject.reason}"))
    if len(table.rejects) > SHOWN_REJECTS:
        console.print(
            Text(f"  and {len(table.rejects) - SHOWN_REJECTS:,} more; nightly and replay write them all down")
        )


def _print_mail(console: Console, night: Night, order_line_id: str) -> None:
    mail = next((row.mail for row in night.remedies if row.remedy.order_line_id == order_line_id), None)
    if mail is None:
        console.print(Text(f"no mail: this night holds no remedy with a mail for order line {order_line_id}"))
    elif console.is_terminal:
        console.print(Panel(Text(mail.text.strip()), title=Text(mail.subject), width=min(88, console.width)))
    else:
        console.print(Text(f"\n{mail.subject}\n\n{mail.text.strip()}"))
