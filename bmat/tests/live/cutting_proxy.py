"""A bad connection to a service: it counts what clients send, and is cut every few megabytes."""

import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from threading import Lock, Thread

PIECE_BYTES = 2**14


class CuttingProxy:
    """Hands on what comes to its port. Each connection is cut once `cut_after_bytes` of its client
    have come; 0 cuts none. `on_sent` is told of all that all clients have sent so far.
    """

    def __init__(
        self,
        port: int,
        cut_after_bytes: int = 0,
        on_sent: Callable[[int], None] = lambda count: None,
    ) -> None:
        self.sent_bytes = 0
        self.cuts = 0
        self._port = port
        self._cut_after_bytes = cut_after_bytes
        self._on_sent = on_sent
        self._lock = Lock()
        self._listener = socket.create_server(("127.0.0.1", 0))

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._listener.getsockname()[1]}"

    def serve(self) -> None:
        """Take connections until the proxy is closed."""
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            Thread(target=self._hand_on, args=(client,), daemon=True).start()

    def close(self) -> None:
        # Wakes the thread that accepts; closing alone would not.
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    def _hand_on(self, client: socket.socket) -> None:
        with client:
            try:
                server = socket.create_connection(("127.0.0.1", self._port))
            except ConnectionError:
                return
            with server:
                Thread(target=hand_back, args=(server, client), daemon=True).start()
                self._send(client, server)
                for end in (client, server):
                    with suppress(OSError):
                        end.shutdown(socket.SHUT_RDWR)

    def _send(self, client: socket.socket, server: socket.socket) -> None:
        """Hand on what the client sends, until it ends or the connection is cut."""
        count = 0
        with suppress(ConnectionError):
            while piece := client.recv(PIECE_BYTES):
                count += len(piece)
                with self._lock:
                    self.sent_bytes += len(piece)
                    total = self.sent_bytes
                if 0 < self._cut_after_bytes <= count:
                    self.cuts += 1
                    return
                server.sendall(piece)
                self._on_sent(total)


def hand_back(server: socket.socket, client: socket.socket) -> None:
    """Hand on what the server answers."""
    with suppress(OSError):
        while piece := server.recv(PIECE_BYTES):
            client.sendall(piece)
        client.shutdown(socket.SHUT_WR)


@contextmanager
def cutting(proxy: CuttingProxy) -> Iterator[CuttingProxy]:
    Thread(target=proxy.serve, daemon=True).start()
    try:
        yield proxy
    finally:
        proxy.close()
