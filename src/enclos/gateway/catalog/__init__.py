"""A PostgreSQL catalog that knows the names of a permit and nothing else."""
