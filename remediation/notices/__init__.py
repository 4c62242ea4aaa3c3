"""The mail that tells a customer what went wrong and what has been done: rendering it, and addressing it."""

from remediation.notices.envelope import Sender, address
from remediation.notices.errors import NoticeError
from remediation.notices.rendering import render

__all__ = ["NoticeError", "Sender", "address", "render"]
