"""The proofs make much and keep little: looking for garbage as often as usual took a third of their time."""

import gc

gc.set_threshold(100_000, 50, 50)
