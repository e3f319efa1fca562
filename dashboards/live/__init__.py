"""The dashboard of runs that go on, for Grafana: panels as data, and their JSON."""
