"""Every mail that can be written, to be looked at: invented failures, rendered and addressed as in the night."""
