"""How two machines that talk notice within seconds that the other, or the link, is gone."""

import socket

PEER_S = 5.0
"""How long a peer may be silent. The systems themselves ask each other every second."""

_ASK_EVERY_S = 1


def watch_peer(connection: socket.socket) -> None:
    """Have the system end a TCP connection whose other end has not answered for ``PEER_S`` seconds.

    Sockets that a listening one accepts inherit this. It costs no thread, and idle ends are asked too.
    """
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE, _ASK_EVERY_S)
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPINTVL, _ASK_EVERY_S)
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPCNT, int(PEER_S / _ASK_EVERY_S))
    # For what has been sent and not been acknowledged: then the system does not ask.
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, int(PEER_S * 1000))
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
