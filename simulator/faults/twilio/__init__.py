"""Faults of events on their way, and of Twilio's REST answers."""
