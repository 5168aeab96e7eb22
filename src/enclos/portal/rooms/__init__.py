"""What each role is served: its pages' addresses and what they do."""
