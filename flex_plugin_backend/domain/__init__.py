"""What happens on the floor: pure records and rules, no I/O, no clock, no randomness."""
