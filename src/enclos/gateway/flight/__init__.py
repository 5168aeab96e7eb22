"""The door of Arrow Flight SQL: columns as they are, over TLS."""
