"""Which body of `templates/email` tells of a finding: one kind of failure can be told in several ways."""

from detectors.finding import Finding


def telling(finding: Finding) -> str:
    """The name of the body in the folder of the finding's kind.

    A parcel that has come is told of otherwise than one that has not, and what
    the customer told us otherwise than what we noticed.
    """
    known = {name for name, value in finding.evidence.items() if value is not None}
    match finding.kind:
        case "late":
            return "delivered" if "delivered_date" in known else "missing"
        case "lost" if finding.evidence.get("declared"):
            return "declared"
        case "lost":
            return "never_scanned" if finding.evidence.get("never_scanned") else "silent"
        case "damaged":
            return "told" if "reported_at" in known else "scanned"
        case "wrong_item":
            return "again" if _count(finding, "wrong_count") > 1 else "first"
        case _:
            return "body"


def _count(finding: Finding, name: str) -> int:
    value = finding.evidence.get(name)
    return value if isinstance(value, int) else 0
