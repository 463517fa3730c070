"""Faults of the WFM's answers."""
