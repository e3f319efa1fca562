"""How good the recommender is."""
