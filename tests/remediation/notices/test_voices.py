"""How a mail sounds: a voice changes how it opens, says sorry and closes, and nothing else."""

import pytest

from detectors.finding import Finding
from remediation.mail import Mail
from remediation.notices.catalogues import languages
from remediation.preview.samples import EVIDENCE, every_failure
from remediation.remedy import Action
from tests.remediation.notices.letters import a_finding, a_mail

LANGUAGES = sorted(languages())
DONE = (Action("refund", 299), Action("replacement", service_level="next_day"))

PLAYFULLY_TOLD = {
    name: finding
    for name, finding in every_failure().items()
    if finding.kind in ("delivered_not_received", "wrong_item", "late", "lost")
}
NEVER_PLAYFULLY = {name: finding for name, finding in every_failure().items() if name not in PLAYFULLY_TOLD} | {
    "a_week_late": a_finding("late", evidence={**EVIDENCE["late"], "delivered_date": "2026-11-25", "days_late": 7})
}


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("finding", every_failure().values(), ids=every_failure())
def test_a_warm_mail_opens_apologises_and_closes_in_its_own_words_and_changes_nothing_else(
    finding: Finding, language: str
) -> None:
    plain = _parts(a_mail(finding, locale=language))
    warm = _parts(a_mail(finding, locale=language, voice="warm"))

    assert [said == plainly for said, plainly in zip(warm, plain, strict=True)] == [False, True, False, True, False]
    assert a_mail(finding, locale=language, voice="warm").subject == a_mail(finding, locale=language).subject


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("finding", PLAYFULLY_TOLD.values(), ids=PLAYFULLY_TOLD)
def test_a_playful_customer_is_answered_in_kind_and_clearly_about_facts_and_money(
    finding: Finding, language: str
) -> None:
    playful = _parts(a_mail(finding, locale=language, actions=DONE, voice="playful"))

    for voice in ("plain", "warm"):
        other = _parts(a_mail(finding, locale=language, actions=DONE, voice=voice))
        same = [said == otherwise for said, otherwise in zip(playful, other, strict=True)]
        assert same == [False, True, False, True, False]


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("finding", NEVER_PLAYFULLY.values(), ids=NEVER_PLAYFULLY)
def test_a_grave_failure_bears_no_jest(finding: Finding, language: str) -> None:
    assert a_mail(finding, locale=language, voice="playful") == a_mail(finding, locale=language, voice="warm")


def test_one_grave_failure_among_others_makes_the_whole_mail_serious() -> None:
    findings = (a_finding("delivered_not_received", severity=1.0), a_finding("damaged", severity=0.1))

    assert a_mail(*findings, voice="playful") == a_mail(*findings, voice="warm")


def _parts(mail: Mail) -> list[str]:
    """What happened, its fact, the apology, what was done, the close."""
    return mail.text.strip().split("\n\n")
