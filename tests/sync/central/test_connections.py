"""Whose connections are cut when they run short, and that it is these and no others. Real sockets, loopback."""

import contextlib
import socket
from collections.abc import Iterator

import pytest

from sync.central.connections import CROWDED, SHARE, Connections, Line, cut, open_lines, surplus

ALLOWED = 100


def lines(address: str, count: int, first: int = 1) -> list[Line]:
    return [Line((address, first + number), number, f"socket:[{first + number}]") for number in range(count)]


def test_nothing_is_cut_while_there_are_places_whoever_has_them() -> None:
    assert surplus(lines("192.0.2.1", int(CROWDED * ALLOWED) - 1), (), ALLOWED) == []


def test_who_has_more_than_a_share_of_a_crowded_central_loses_what_is_quiet_down_to_the_share() -> None:
    greedy, modest = lines("192.0.2.1", 70), lines("192.0.2.2", 10)
    gone = surplus([*greedy, *modest], (), ALLOWED)
    assert {line.peer[0] for line in gone} == {"192.0.2.1"}
    assert len(gone) == 70 - SHARE * ALLOWED


def test_a_connection_at_work_is_never_cut() -> None:
    """A city behind one gateway: its long polls wait, all from one address."""
    city = lines("192.0.2.1", 90)
    busy = {line.peer for line in city[:80]}
    assert surplus(city, busy, ALLOWED) == city[80:]


def test_one_line_of_ipv6_is_one_client() -> None:
    spread = [Line((f"2001:db8::{number:x}", 1), number, "") for number in range(80)]
    assert len(surplus(spread, (), ALLOWED)) == 80 - SHARE * ALLOWED


@pytest.fixture
def listener() -> Iterator[socket.socket]:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(10)
        yield listener


def test_the_system_lists_our_connections_and_the_one_meant_is_cut(listener: socket.socket) -> None:
    port = listener.getsockname()[1]
    with contextlib.ExitStack() as ends:
        clients = [ends.enter_context(socket.create_connection(("127.0.0.1", port), timeout=10)) for _ in range(3)]
        for _ in clients:
            ends.enter_context(listener.accept()[0])
        listed = {line.peer: line for line in open_lines(port)}
        assert listed.keys() == {client.getsockname() for client in clients}
        assert cut(listed[clients[1].getsockname()])
        assert clients[1].recv(1) == b""
        for client in (clients[0], clients[2]):
            client.settimeout(0.05)
            with pytest.raises(TimeoutError):
                client.recv(1)


def test_an_ipv6_peer_is_listed_as_python_names_it() -> None:
    if not socket.has_ipv6:
        pytest.skip("no IPv6 here")
    with contextlib.ExitStack() as ends:
        try:
            listener = ends.enter_context(socket.create_server(("::1", 0), family=socket.AF_INET6))
        except OSError:
            pytest.skip("no IPv6 address here")
        port = listener.getsockname()[1]
        client = ends.enter_context(socket.create_connection(("::1", port), timeout=10))
        ends.enter_context(listener.accept()[0])
        (line,) = open_lines(port)
        assert line.peer == client.getsockname()[:2]


def test_a_descriptor_that_has_become_another_connection_is_left_alone(listener: socket.socket) -> None:
    port = listener.getsockname()[1]
    with socket.create_connection(("127.0.0.1", port), timeout=10) as client, listener.accept()[0] as end:
        (line,) = open_lines(port)
        assert not cut(Line(line.peer, line.descriptor, "socket:[1]"))
        assert not cut(Line(line.peer, 10**6, line.inode))
        end.sendall(b"x")
        assert client.recv(1) == b"x"


def test_two_requests_of_one_connection_end_apart() -> None:
    connections, peer = Connections(), ("192.0.2.1", 1)
    with connections.working(peer):
        with connections.working(peer), connections.working(None):
            pass
        assert connections.at_work(peer)
    assert not connections.at_work(peer)
