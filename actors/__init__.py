"""Ray: pools of clients, a coordinator, and the executor that joins them."""
