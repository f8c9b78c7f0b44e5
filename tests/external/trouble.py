"""A TCP proxy that makes trouble: resets, close frames, outages."""

import queue
import socket
import struct
import threading

from programs import PATIENCE

CLOSE_1000 = b"\x88\x02\x03\xe8"  # an unmasked close frame with code 1000, as a server sends it


class Proxy:
    """Forwards 127.0.0.1:port to a target, until told otherwise."""

    def __init__(self, host: str, port: int):
        self.target = (host, port)
        self.pairs = []
        self.knocks = queue.Queue()
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.open = True
        threading.Thread(target=self._accept, daemon=True).start()

    def knock(self):
        """Waits until somebody connects, let in or turned away."""
        self.knocks.get(timeout=PATIENCE)

    def reset(self):
        """Resets every connection."""
        for client, server, threads in self._take():
            for end in (client, server):
                # Wakes the thread that reads it: while one does, closing closes nothing.
                end.shutdown(socket.SHUT_RD)
                end.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            for thread in threads:
                thread.join()
            client.close()
            server.close()

    def say_goodbye(self):
        """Closes every connection as a service does that means it well: with code 1000."""
        for client, server, _ in self._take():
            client.sendall(CLOSE_1000)
            client.shutdown(socket.SHUT_WR)
            server.shutdown(socket.SHUT_RDWR)

    def _take(self):
        pairs, self.pairs = self.pairs, []
        return pairs

    def _accept(self):
        while True:
            client, _ = self.listener.accept()
            if not self.open:
                client.close()
                self.knocks.put(None)
                continue
            server = socket.create_connection(self.target)
            ways = ((client, server), (server, client))
            threads = [threading.Thread(target=self._forward, args=way, daemon=True) for way in ways]
            for thread in threads:
                thread.start()
            self.pairs.append((client, server, threads))
            self.knocks.put(None)

    @staticmethod
    def _forward(source, sink):
        try:
            while data := source.recv(65536):
                sink.sendall(data)
        except OSError:
            return
