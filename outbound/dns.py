"""From a name to checked IP addresses, by one lookup."""

import queue
import socket
import threading
from ipaddress import ip_address

from outbound.deadlines import Deadline
from outbound.errors import RemoteUnavailable
from outbound.ip_ranges import IPAddress
from outbound.urls import ParsedUrl, UrlRules, reject_non_public_ip

_FAMILIES = (socket.AF_INET, socket.AF_INET6)


def resolve(address: ParsedUrl, rules: UrlRules, deadline: Deadline) -> tuple[IPAddress, ...]:
    """The addresses to connect to. Raises UrlNotAllowed if any one is not public, RemoteUnavailable without one.

    One bad answer among good ones condemns the name: whoever serves it would otherwise only have to wait for the
    moment at which the bad one is tried.
    """
    if address.ip is not None:
        return (address.ip,)
    found = tuple(dict.fromkeys(_look_up(address.host, address.port, deadline)))
    for ip in found:
        reject_non_public_ip(ip, rules, host=address.host)
    if not found:
        raise RemoteUnavailable(f"{address.host} has no address.", "dns_failed", host=address.host)
    return found


def _look_up(host: str, port: int, deadline: Deadline) -> list[IPAddress]:
    """The system's resolver knows no deadline, so it runs in a thread which we stop waiting for."""
    answers: queue.SimpleQueue[list[IPAddress] | Exception] = queue.SimpleQueue()

    def ask() -> None:
        try:
            entries = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, proto=socket.IPPROTO_TCP)
            answers.put([ip_address(entry[4][0]) for entry in entries if entry[0] in _FAMILIES])
        except (OSError, ValueError) as error:  # ValueError: a name or an answer that is none
            answers.put(error)

    threading.Thread(target=ask, name="name lookup", daemon=True).start()
    try:
        answer = answers.get(timeout=deadline.seconds_left())
    except queue.Empty:
        raise RemoteUnavailable(f"{host} was not looked up in time.", "dns_failed", host=host) from None
    if isinstance(answer, Exception):
        raise RemoteUnavailable(f"{host} could not be looked up.", "dns_failed", host=host) from answer
    return answer
