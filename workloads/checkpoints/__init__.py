"""Checkpoints of a run on disk: written beside it, found again, checked before anything is made of them."""
