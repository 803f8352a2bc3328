"""Resolve a host to checked IP addresses with one lookup."""

import queue
import socket
import threading
from ipaddress import ip_address

from outbound.deadlines import Deadline
from outbound.errors import RemoteUnavailable
from outbound.ip_ranges import IPAddress
from outbound.urls import ParsedUrl, UrlRules, reject_non_public_ip

_FAMILIES = (socket.AF_INET, socket.AF_INET6)


def resolve(url: ParsedUrl, rules: UrlRules, deadline: Deadline) -> tuple[IPAddress, ...]:
    """Return the IP addresses to connect to.

    Raises UrlNotAllowed if one of them is not public: otherwise an attacker could mix public and internal addresses and
    wait until an internal one is used. Raises RemoteUnavailable if there is none.
    """
    if url.ip is not None:
        return (url.ip,)
    ips = tuple(dict.fromkeys(_look_up(url.host, url.port, deadline)))
    for ip in ips:
        reject_non_public_ip(ip, rules, host=url.host)
    if not ips:
        raise RemoteUnavailable(f"{url.host} has no address.", "dns_failed", host=url.host)
    return ips


def _look_up(host: str, port: int, deadline: Deadline) -> list[IPAddress]:
    """Look up in a thread, because getaddrinfo has no timeout. After the deadline the thread is abandoned."""
    results: queue.SimpleQueue[list[IPAddress] | Exception] = queue.SimpleQueue()

    def look_up() -> None:
        try:
            entries = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, proto=socket.IPPROTO_TCP)
            results.put([ip_address(entry[4][0]) for entry in entries if entry[0] in _FAMILIES])
        except (OSError, ValueError) as error:  # ValueError: an invalid name or IP address
            results.put(error)

    threading.Thread(target=look_up, name="name lookup", daemon=True).start()
    try:
        result = results.get(timeout=deadline.seconds_left())
    except queue.Empty:
        raise RemoteUnavailable(f"{host} was not looked up in time.", "dns_failed", host=host) from None
    if isinstance(result, Exception):
        raise RemoteUnavailable(f"{host} could not be looked up.", "dns_failed", host=host) from result
    return result
