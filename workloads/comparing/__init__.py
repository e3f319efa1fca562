"""Several methods under several seeds: planned, run, and put beside each other."""
