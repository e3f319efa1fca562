"""What a running simulation shows to whoever watches it: counters and gauges, added up from its records."""
