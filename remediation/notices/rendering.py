"""A remedy in the customer's words: subject, text and HTML from the templates and one language's sentences."""

import base64
import uuid
from collections.abc import Sequence
from dataclasses import replace
from typing import Final
from zoneinfo import ZoneInfo

from css_inline import CSSInliner
from jinja2 import Environment, TemplateNotFound, UndefinedError

from detectors.finding import Finding
from remediation.mail import Mail
from remediation.notices.catalogues import SOURCE_LANGUAGE, languages, words
from remediation.notices.days import days
from remediation.notices.deeds import MONEY, deeds
from remediation.notices.display import Display
from remediation.notices.errors import NoticeError
from remediation.notices.leading import leading
from remediation.notices.legible import isolated, legible, titles_for
from remediation.notices.letter import Letter
from remediation.notices.locales import conventions, language_of
from remediation.notices.telling import telling
from remediation.notices.templating import environment
from remediation.notices.tone import fitting
from remediation.orders import OrderLine, Voice
from remediation.remedy import Remedy

_INLINER: Final = CSSInliner(load_remote_stylesheets=False)
"""Most mail programs read style attributes only; the layout marks the rules for phones and dark mode to be kept."""

SUBJECT_TITLE: Final = 60
"""Characters of a title in a subject: what was done still shows where an inbox cuts, and all of the title is inside."""


def render(  # noqa: PLR0913, PLR0917 - a mail needs exactly these, and no record holds them together
    remedy: Remedy,
    findings: Sequence[Finding],
    order_line: OrderLine,
    customer_locale: str,
    timezone: str,
    voice: Voice,
    *,
    corrected: bool = False,
) -> Mail:
    """The mail that tells of `remedy`, without name and address: the same for whoever reviews or receives it.

    Args:
      remedy: What has been done; the amounts are its actions' own.
      findings: Findings of this remedy. The leading one chooses the template
        and gives the one fact that the customer can check.
      order_line: What was bought: the title and the order's number.
      customer_locale: Such as `ja-JP`. Where its language has no catalogue,
        the mail is in English.
      timezone: IANA name. Where it is unknown the fact is in UTC, and says so.
      voice: Of the sentences; what a voice does not say anew is said in the
        next more sober one. A grave failure is never told playfully.
      corrected: Whether the listing behind a wrong item has been put right.
        Only then, and only to who received the wrong item, the mail says so.

    Raises:
      NoticeError: The remedy, its findings and the order line do not belong
        together, or a template, a title or a figure is missing.
      UnknownCurrencyError: ISO 4217 does not list the currency.
    """
    _demand_one_story(remedy, findings, order_line)
    language = language_of(customer_locale, languages(), SOURCE_LANGUAGE)
    locale = conventions(language, customer_locale)
    spoken = words(language, fitting(voice, findings))
    display = Display(spoken, locale)
    finding = leading(findings)
    zone = zone_or_utc(timezone)
    done = deeds(remedy, display, corrected=corrected and finding.kind == "wrong_item")
    letter = Letter(
        kind=finding.kind,
        telling=telling(finding),
        language=language.replace("_", "-"),
        direction="rtl" if locale.text_direction == "rtl" else "ltr",
        title=title_of(order_line, customer_locale),
        order=order_of(order_line),
        # A null figure is as absent as one that is not there: the template then names what it lacks.
        evidence={name: value for name, value in finding.evidence.items() if value is not None},
        when=display.span(finding.occurred_from, finding.occurred_to, zone),
        days=days(finding, order_line, display, zone),
        headline=done.headline,
        done=done.done,
        notes=done.notes,
    )
    return _mail(remedy.remedy_id, letter, environment(spoken, locale))


def _demand_one_story(remedy: Remedy, findings: Sequence[Finding], order_line: OrderLine) -> None:
    """A mail about another order, another failure or another sum is worse than none."""
    name = f"Remedy {remedy.remedy_id}"
    if (remedy.order_line_id, remedy.currency) != (order_line.order_line_id, order_line.currency):
        raise NoticeError(f"{name} is not for order line {order_line.order_line_id} in its currency; pass its own.")
    if not findings or any(finding.finding_id not in remedy.finding_ids for finding in findings):
        raise NoticeError(f"{name} rests on other findings; pass one or more of its finding_ids, and no others.")
    amounts = [action.amount_minor or 0 for action in remedy.actions if action.kind in MONEY]
    of_goods = [action.amount_minor for action in remedy.actions if action.kind not in MONEY]
    if not remedy.actions or min(amounts, default=1) <= 0 or any(of_goods) or sum(amounts) != remedy.amount:
        raise NoticeError(
            f"{name}: it must have an action, and the amounts of refunds and credits, and only theirs,"
            f" must be above zero and sum to {remedy.amount}."
        )


def title_of(order_line: OrderLine, tag: str) -> str:
    """The title as a customer of locale `tag` reads it.

    Raises:
      NoticeError: It has no visible character.
    """
    title = next(filter(None, map(legible, titles_for(order_line.title, tag))), None)
    if title is None:
        raise NoticeError(f"Order line {order_line.order_line_id}: its title is empty; import it with a title.")
    return title


def order_of(order_line: OrderLine) -> str:
    """The order's number as it may be printed.

    Raises:
      NoticeError: It has no visible character.
    """
    order = legible(order_line.order_id)
    if not order:
        raise NoticeError(f"Order line {order_line.order_line_id}: its order_id has no visible character; correct it.")
    return order


def zone_or_utc(name: str) -> ZoneInfo:
    """The zone of that name; UTC where there is none, which whoever shows a time says."""
    try:
        return ZoneInfo(name)
    except (LookupError, ValueError, OSError):  # no such zone, no such name, a folder of zones
        return ZoneInfo("UTC")


def _mail(remedy_id: str, letter: Letter, jinja: Environment) -> Mail:
    """Text is isolated by characters, HTML by its elements; the facts are the same."""
    plain = replace(
        letter,
        title=isolated(letter.title, letter.direction),
        order=isolated(letter.order, letter.direction),
        headline=replace(letter.headline, amount=isolated(letter.headline.amount, letter.direction)),
        done=tuple(replace(done, amount=isolated(done.amount, letter.direction)) for done in letter.done),
    )
    above = replace(plain, title=isolated(legible(letter.title, SUBJECT_TITLE), letter.direction))
    body = f"{letter.kind}/{letter.telling}"
    try:
        subject = jinja.get_template(f"subject/{letter.headline.name}.txt.j2").render(letter=above).strip()
        text = jinja.get_template(f"{body}.txt.j2").render(letter=plain).strip()
        page = jinja.get_template(f"{body}.html.j2").render(letter=letter, subject=subject)
    except TemplateNotFound as error:
        raise NoticeError(
            f"Remedy {remedy_id}: templates/email has no {error.message}; write it, or withhold the mail."
        ) from error
    except UndefinedError as error:
        raise NoticeError(
            f"Remedy {remedy_id}: a {letter.kind} mail states a figure that its finding's evidence lacks"
            f" ({error.message}); correct the detector."
        ) from error
    return Mail(
        remedy_id=remedy_id,
        message_id=message_id(remedy_id),
        language=letter.language,
        subject=subject,
        text=f"{text}\n",
        html=inlined(page),
    )


def inlined(page: str) -> str:
    """The page with its styles where every mail program finds them."""
    return _INLINER.inline(page)


def message_id(remedy_id: str) -> str:
    """The uuid of a remedy, or of a survey, in base 32: 26 characters, so that the sender's domain has room."""
    return base64.b32encode(uuid.UUID(remedy_id).bytes).decode("ascii").rstrip("=").lower()
