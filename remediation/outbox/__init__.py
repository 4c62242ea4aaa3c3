"""What is still to be sent, and the only code that may change its state."""
