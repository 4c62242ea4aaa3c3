"""Whom not to write to any more: addresses as they are compared, and what mail servers report back."""
