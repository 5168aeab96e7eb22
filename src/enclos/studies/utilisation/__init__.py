"""Who takes what, for how long, how much, for what, and what then."""
