"""The survey in the customer's words: one question, in a mail of its own, the same for whoever is asked."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

from remediation.loyalty.links import PAGE, RATE, SCORES, UNSUBSCRIBE
from remediation.mail import Mail
from remediation.notices.catalogues import SOURCE_LANGUAGE, languages, words
from remediation.notices.display import Display
from remediation.notices.legible import Direction, isolated
from remediation.notices.locales import conventions, language_of
from remediation.notices.rendering import inlined, message_id, order_of, title_of, zone_or_utc
from remediation.notices.templating import environment
from remediation.orders import OrderLine

_FOLDER: Final = "survey"


@dataclass(frozen=True, slots=True)
class Rate:
    """One answer, and the link that gives it."""

    score: int
    url: str


@dataclass(frozen=True, slots=True)
class Question:
    """What the templates of the survey may print; it tells nothing of what was given, so that all are asked alike."""

    language: str
    direction: Direction
    title: str
    order: str
    wrote_on: str
    rates: Sequence[Rate]
    page: str
    unsubscribe: str

    @property
    def least(self) -> int:
        """The lowest score."""
        return self.rates[0].score

    @property
    def most(self) -> int:
        """The highest score."""
        return self.rates[-1].score


def ask(survey_id: str, order_line: OrderLine, locale_tag: str, timezone: str, wrote_at: int) -> Mail:
    """The survey about one remedy, without name, address and token; its links are placeholders.

    Args:
      survey_id: A uuid, from which the Message-ID follows.
      order_line: What the apology was about.
      locale_tag: Such as `ja-JP`. Where its language has no catalogue, the mail is in English.
      timezone: IANA name, for the day of the apology.
      wrote_at: When the apology was sent, in milliseconds since the epoch.

    Raises:
      NoticeError: The order line has no title or no order number that can be read.
    """
    language = language_of(locale_tag, languages(), SOURCE_LANGUAGE)
    locale = conventions(language, locale_tag)
    spoken = words(language, "plain")
    question = Question(
        language=language.replace("_", "-"),
        direction="rtl" if locale.text_direction == "rtl" else "ltr",
        title=title_of(order_line, locale_tag),
        order=order_of(order_line),
        wrote_on=Display(spoken, locale).day_of(wrote_at, zone_or_utc(timezone)),
        rates=tuple(Rate(score, RATE[score]) for score in SCORES),
        page=PAGE,
        unsubscribe=UNSUBSCRIBE,
    )
    plain = replace(
        question,
        title=isolated(question.title, question.direction),
        order=isolated(question.order, question.direction),
    )
    jinja = environment(spoken, locale)
    subject = jinja.get_template(f"{_FOLDER}/subject.txt.j2").render(letter=plain).strip()
    text = jinja.get_template(f"{_FOLDER}/body.txt.j2").render(letter=plain).strip()
    page = jinja.get_template(f"{_FOLDER}/body.html.j2").render(letter=question, subject=subject)
    return Mail(survey_id, message_id(survey_id), question.language, subject, f"{text}\n", inlined(page))
