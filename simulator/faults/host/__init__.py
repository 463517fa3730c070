"""Faults of the machine that the connector runs on."""
