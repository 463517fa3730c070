"""Event logs of real and simulated workspaces: taken down without personal data, and played to a connector."""
