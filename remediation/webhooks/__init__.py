"""What the provider tells by webhook: only ever a hint to ask it."""
