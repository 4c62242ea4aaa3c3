from typing import Any

import pytest

from remediation.ledger.resolution import Resolution, refund_minor
from remediation.remedy import Action, Declined, Remedy
from tests.remediation.ledger.evenings import a_finding, a_mail, a_remedy

REFUSAL = Declined((a_finding().finding_id,), a_finding().subject, "declined", "no_order", "Nothing was ordered.")
DIGEST = "e" * 64


@pytest.mark.parametrize(
    ("parts", "sentence"),
    [
        ({}, "either a remedy or declined"),
        ({"remedy": a_remedy(), "declined": REFUSAL, "evidence_sha256": DIGEST}, "either a remedy or declined"),
        ({"remedy": a_remedy()}, "needs evidence_sha256"),
        ({"declined": REFUSAL, "evidence_sha256": DIGEST}, "needs evidence_sha256"),
        ({"remedy": a_remedy(), "evidence_sha256": DIGEST, "mail": a_mail(a_remedy())}, "needs not_before"),
        (
            {"remedy": a_remedy(), "evidence_sha256": DIGEST, "mail": a_mail(a_remedy("OL-2")), "not_before": 0},
            "not to this one",
        ),
        ({"remedy": a_remedy(finding_ids=("F-404",)), "evidence_sha256": DIGEST}, "F-404 .* not among its findings"),
    ],
)
def test_parts_that_do_not_fit_together_are_refused(parts: dict[str, Any], sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence):
        Resolution((a_finding(),), **parts)


def test_shipping_is_refunded_and_credit_is_not() -> None:
    actions = [
        Action("refund", amount_minor=100),
        Action("shipping_refund", amount_minor=20),
        Action("credit", amount_minor=3),
        Action("replacement"),
    ]
    assert refund_minor(a_remedy(actions=actions)) == 120
    assert refund_minor(a_remedy(actions=[Action("replacement")])) == 0


@pytest.mark.parametrize(
    "remedy",
    [
        a_remedy(actions=[Action("refund")]),
        a_remedy(actions=[Action("refund", amount_minor=299), Action("refund", amount_minor=-1)]),
        a_remedy(refund=299, amount=298),
    ],
    ids=["no amount", "negative", "other sum"],
)
def test_actions_that_do_not_sum_to_the_amount_are_refused(remedy: Remedy) -> None:
    with pytest.raises(ValueError, match="do not sum to its amount"):
        refund_minor(remedy)
