"""Servers that tests start on loopback: a port for each, and waiting until they listen."""

import socket
import time

START_LIMIT_S = 300


def free_ports(count):
    """Ports of the ephemeral range, which begins above the one that Ray keeps for its workers."""
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [one.getsockname()[1] for one in sockets]
    for one in sockets:
        one.close()
    return ports


def await_listener(port, process):
    """Until a process listens there; an error where it ended, or takes too long."""
    began_s = time.monotonic()
    while time.monotonic() - began_s < START_LIMIT_S:
        assert process.poll() is None, f"{process.args} ended"
        with socket.socket() as one:
            if one.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.2)
    raise AssertionError(f"{process.args} did not start")
