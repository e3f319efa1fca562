"""Measurements: they report, and assert nothing."""
