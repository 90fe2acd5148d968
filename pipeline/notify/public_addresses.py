"""Which addresses are on the public Internet, and nowhere else."""

import ipaddress

Address = ipaddress.IPv4Address | ipaddress.IPv6Address

_GLOBAL_UNICAST = ipaddress.ip_network("2000::/3")
"""All that is assigned for the public Internet (RFC 4291). What lies outside is local, reserved, or an
IPv4 address in another spelling: mapped, compatible, or translated by NAT64 (64:ff9b::/96, RFC 6052)
or SIIT (::ffff:0:0:0/96, RFC 7915), which a router may turn into a private one."""

_TRANSLATED = tuple(
    ipaddress.ip_network(block)
    for block in (
        "2002::/16",  # 6to4: the next 32 bits are an IPv4 address
        "2001::/32",  # Teredo: likewise
        "2001:db8::/32",  # documentation
        "3fff::/20",  # documentation
        "192.0.0.0/24",  # protocols of the IETF: DS-Lite, NAT64 discovery
        "192.88.99.0/24",  # relays of 6to4
    )
)


def is_public(address: Address) -> bool:
    """Whether an address is on the public Internet: no loopback, private, link-local or translated one."""
    if isinstance(address, ipaddress.IPv6Address) and address not in _GLOBAL_UNICAST:
        return False
    if any(address in block for block in _TRANSLATED):
        return False
    return address.is_global and not address.is_multicast
