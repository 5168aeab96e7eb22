"""The door that PostgreSQL's clients know: protocol 3.0 over TLS."""
