"""SQL of the quality scans, one module per kind of scan. Nothing here runs anything."""
