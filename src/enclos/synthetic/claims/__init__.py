"""Claims: DCIR, town care as prestations with their affined rows, month of flux by month of flux."""
