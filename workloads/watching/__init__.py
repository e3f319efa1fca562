"""A run that goes on elsewhere, looked at by what it writes into its directory."""
