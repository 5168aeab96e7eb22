"""A process that can compute and nothing else: people's queries run in it."""
