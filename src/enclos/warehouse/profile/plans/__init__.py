"""SQL of the profile's scans, one module per subject. Nothing here runs anything."""
