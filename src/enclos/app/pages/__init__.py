"""Pages about a snapshot: self-contained HTML, pictures inside, in English or French."""
