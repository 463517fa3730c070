"""A fake Twilio: the TaskRouter REST subset that the official client reads, and signed event callbacks."""
