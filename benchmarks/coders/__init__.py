"""Coders of indices and positions that were tried for the wire and lost; `entropy.py` compares them.

n symbols below K, or n increasing ids below I. What the receiver knows is n, K and I; tables and
parameters are part of the octets.
"""
