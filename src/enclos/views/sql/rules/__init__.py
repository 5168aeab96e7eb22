"""What a query may hold: names and functions (lists), the person's tree (reading), the engine's tree (engine_tree)."""
