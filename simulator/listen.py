"""Finds out that an address can be listened on, before a server that shares ports would take it silently."""

from __future__ import annotations

import socket
from contextlib import closing

import click


class AddressInUse(click.ClickException):
    """The address cannot be listened on."""


def reserve(host: str, port: int) -> socket.socket:
    """A bound socket for the port: it finds out that the port is free, and keeps a free one until the server listens.

    Raises:
        AddressInUse: another process listens there, or the address is not of this machine.
    """
    sock = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET, socket.SOCK_STREAM)
    try:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if port == 0 and hasattr(socket, "SO_REUSEPORT"):
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        sock.bind((host, port))
        if port != 0:
            sock.listen(1)  # binding alone does not collide with a listener that shares its port
    except OSError as error:
        sock.close()
        raise AddressInUse(
            f"{host}:{port} cannot be used: {error.strerror or error}; choose another --port or --host"
        ) from error
    return sock


def listens(host: str, port: int) -> bool:
    """Whether somebody answers there."""
    try:
        with closing(socket.create_connection((host, port), timeout=1)):
            return True
    except OSError:
        return False


def url_of(host: str, port: int) -> str:
    """The address of a server on this host and port."""
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"
