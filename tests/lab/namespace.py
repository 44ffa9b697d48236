"""Runs a server in a network namespace of its own and relays listeners from outside to it.

    unshare -Urn python namespace.py FD:PORT … -- COMMAND …   (as root: unshare -n)

FD is a listening socket that was opened outside and inherited, PORT where the server listens
within. So a server with fixed low ports needs neither root nor free ports.
"""

import fcntl
import socket
import struct
import subprocess
import sys
import threading

SIOCSIFFLAGS, IFF_UP = 0x8914, 0x1
SO_LINGER_AT_ONCE = struct.pack("ii", 1, 0)


def bring_loopback_up() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as any_socket:
        fcntl.ioctl(any_socket, SIOCSIFFLAGS, struct.pack("16sh14x", b"lo", IFF_UP))


def serve(listener: socket.socket, port: int) -> None:
    while True:
        outside, _ = listener.accept()
        try:
            inside = socket.create_connection(("127.0.0.1", port))
        except OSError:
            # As if nobody listened, which is what the other side has to see.
            outside.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, SO_LINGER_AT_ONCE)
            outside.close()
            continue
        for one in (outside, inside):
            one.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for source, target in ((outside, inside), (inside, outside)):
            threading.Thread(target=pump, args=(source, target), daemon=True).start()


def pump(source: socket.socket, target: socket.socket) -> None:
    try:
        while data := source.recv(65536):
            target.sendall(data)
        target.shutdown(socket.SHUT_WR)
    except OSError:
        for one in (source, target):
            one.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, SO_LINGER_AT_ONCE)
            one.close()


def main() -> int:
    split = sys.argv.index("--")
    bring_loopback_up()
    command = ["setpriv", "--pdeathsig", "KILL", "--", *sys.argv[split + 1 :]]
    server = subprocess.Popen(command)
    for pair in sys.argv[1:split]:
        descriptor, port = map(int, pair.split(":"))
        listener = socket.socket(fileno=descriptor)
        listener.settimeout(None)
        threading.Thread(target=serve, args=(listener, port), daemon=True).start()
    return server.wait()


sys.exit(main())
