"""What speaks for a customer who has not received what was delivered, and what speaks against."""

from dataclasses import dataclass

from detectors.delivery.parcels import Parcel
from detectors.delivery.rules import Proof


@dataclass(frozen=True, slots=True)
class Signals:
    """Codes on either side, each in the order of its rules; none of them decides."""

    supporting: tuple[str, ...]
    contrary: tuple[str, ...]


def signals(parcel: Parcel, rules: Proof) -> Signals:
    """The signals of a parcel that was delivered and reported missing.

    A photo speaks only with its place: near the address it shows the right door,
    elsewhere the wrong one, and without a place neither.
    """
    far = parcel.distance_m is not None and parcel.distance_m > rules.far_m
    near = parcel.distance_m is not None and not far
    reports = parcel.reports or 1
    supporting = (
        ("no_photo", parcel.proof in {None, "none"}),
        ("proof_far", far),
        ("first_report", reports == 1),
        ("others_same_day", parcel.others_same_day),
    )
    contrary = (
        ("photo", parcel.proof == "photo" and near),
        ("pin", parcel.proof == "pin"),
        ("signature", parcel.proof == "signature"),
        ("neighbour", parcel.neighbour),
        ("many_reports", reports >= rules.many_reports),
    )
    return Signals(tuple(code for code, holds in supporting if holds), tuple(code for code, holds in contrary if holds))
