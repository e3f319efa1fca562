"""State as plain data: what of a run must be kept to go on with it, and how it becomes bytes."""
