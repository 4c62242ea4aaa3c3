"""Nothing is kept for ever: what nobody needs any more is erased, by the policy's days."""
