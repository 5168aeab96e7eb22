"""SQL text of linkage. Nothing is run here."""
