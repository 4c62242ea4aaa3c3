"""The policy: figures in TOML, a strict model of them, and `decide`, a pure function."""
