"""The decisions of release; pure."""
