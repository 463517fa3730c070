"""Tests of the wire contract that run against any WFM endpoint."""
