"""Whether making good earns loyalty: who is asked, who is held out from goodwill, who comes back."""
