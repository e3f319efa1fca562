"""Loops over arrays, compiled: what runs once per client and would drown in calls if it were many small ones.

Arrays in, arrays out; nothing here knows a client, a codec or a server. It is the only place that
knows numba. Compiled code is kept in numba's cache, so only the first process on a machine waits for
it (seconds). ``reassoc`` lets sums be vectorised; NaN and infinity keep their meaning.
"""
