"""What can go wrong between Twilio and the connector; one fault, one file."""
