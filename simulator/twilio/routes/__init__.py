"""The REST routes of the fake Twilio, one file for each kind of resource."""
