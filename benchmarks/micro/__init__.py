"""What one client's turn, one blob, one event costs: ``pytest benchmarks/micro``, run by `make bench`."""
