"""Durable truth: the append-only event log, and projections that can be rebuilt from it."""
