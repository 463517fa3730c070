"""The synthetic contact centre: a seeded discrete-event model on virtual time."""
