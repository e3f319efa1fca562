"""How arrivals become the next version, and how it goes out."""
