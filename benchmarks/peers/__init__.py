"""The same federated matrix factorisation on other platforms and on ours, measured beside each other."""
