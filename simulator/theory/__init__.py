"""What queueing theory and statistics say about a simulated floor, and whether a run agrees with them."""
