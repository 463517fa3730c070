"""Open-loop load on a connector over real HTTP, measured from the planned send times, and judged."""
