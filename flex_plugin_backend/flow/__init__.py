"""What moves: intake, projector, forwarder, start-up snapshot, heartbeat, and the runtime that holds them."""
