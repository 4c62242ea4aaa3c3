"""Forgetting a customer: what identifies the person is erased, and what is owed is paid all the same."""

from remediation.forgetting.compacting import compact
from remediation.forgetting.forget import ForgettingError, Forgotten, UnknownCustomerError, forget

__all__ = ["ForgettingError", "Forgotten", "UnknownCustomerError", "compact", "forget"]
