"""FedRAS-Ray: federated recommender systems, simulated, with their communication in real bytes."""

__version__ = "0.1.0"
