"""`fedras fleet`: what the devices of an experiment look like."""
