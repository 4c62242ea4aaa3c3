"""The night as one file that a person opens in the morning."""

from functools import cache

from jinja2 import Environment, PackageLoader, StrictUndefined, Template

from remediation.report.backdrop import Backdrop
from remediation.report.night import Night
from remediation.report.prepare import prepare


def render_report(night: Night, backdrop: Backdrop | None = None) -> str:
    """`report.html`: complete in itself, without script, and without a name or an address in it.

    Before a `backdrop` its figures are compared with those of earlier nights. The
    same night before the same backdrop gives the same bytes.

    The template comes from our own package, never from data; everything that
    is filled in is escaped. A content security policy in the page forbids
    whatever an escape could miss.
    """
    return _template().render(night=prepare(night, backdrop))


@cache
def _template() -> Template:
    environment = Environment(
        loader=PackageLoader("templates", "report"),
        autoescape=True,  # select_autoescape would leave names that end in .j2 unescaped
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    return environment.get_template("night.html.j2")
