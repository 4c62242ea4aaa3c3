"""The mail that tells a customer what went wrong and what has been done: rendering it, and addressing it."""
