"""Which addresses a webhook may lead to."""

import ipaddress
import socket
import threading

import pytest

from pipeline.channels.webhook_url import check_webhook
from pipeline.errors import InvalidJobError, WebhookError
from pipeline.notify import webhooks
from pipeline.notify.public_addresses import is_public
from pipeline.notify.webhooks import Delivery, deliver, resolve

WAIT_S = 20


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1",
        "10.1.2.3",
        "172.16.0.1",
        "192.168.1.1",
        "169.254.169.254",
        "100.64.0.1",
        "0.0.0.0",  # noqa: S104  # refused, not bound
        "224.0.0.1",
        "255.255.255.255",
        "::1",
        "::",
        "fe80::1",
        "fc00::1",
        "ff02::1",
        "::ffff:127.0.0.1",
        "::ffff:8.8.8.8",
        "64:ff9b::7f00:1",
        "64:ff9b:1::1",
        "::127.0.0.1",
        "::ffff:0:127.0.0.1",
        "fec0::1",
        "5f00::1",
        "3fff::1",
        "192.88.99.1",
        "192.0.0.192",
        "fd00:ec2::254",
        "2002:7f00:1::",
        "2001:0:4136:e378:8000:63bf:3fff:fdd2",
    ],
)
def test_addresses_that_are_not_public_are_known(address):
    assert not is_public(ipaddress.ip_address(address))


@pytest.mark.parametrize("address", ["8.8.8.8", "93.184.216.34", "2606:2800:220:1:248:1893:25c8:1946"])
def test_public_addresses_are_known(address):
    assert is_public(ipaddress.ip_address(address))


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "0x7f.1", "2130706433", "127.1", "::1"])
def test_every_spelling_of_loopback_is_refused(host):
    with pytest.raises(WebhookError, match="public"):
        resolve(host, 80, allow_private=False)


def test_an_operator_may_allow_private_addresses():
    assert resolve("127.0.0.1", 80, allow_private=True) == ipaddress.ip_address("127.0.0.1")


@pytest.mark.parametrize(
    "url",
    [
        "ftp://example.com/",
        "file:///etc/passwd",
        "http://",
        "http://user@example.com/",
        "http://example.com:99999/",
        "http://example.com/a b",
        "http://[::1",
        "http://example.com/" + "x" * 3000,
        "gopher://example.com",
        "http://example.com/\r\nHost: other",
    ],
)
def test_what_is_no_url_for_a_webhook_is_refused(url):
    with pytest.raises(InvalidJobError):
        check_webhook(url)


def test_a_receiver_that_is_not_there_may_be_tried_again():
    with pytest.raises(WebhookError) as error:
        deliver(Delivery("1", "http://127.0.0.1:1/", b"{}"), b"s", allow_private=True)

    assert error.value.may_pass


def test_a_webhook_that_answers_a_byte_at_a_time_is_cut_off(monkeypatch):
    monkeypatch.setattr(webhooks, "WHOLE_S", 0.5)
    is_cut, pause = threading.Event(), threading.Event()

    def trickle():
        connection, _ = listener.accept()
        with connection:
            try:
                for letter in b"HTTP/1.1 200 " + b"x" * WAIT_S * 20:
                    connection.sendall(bytes([letter]))
                    pause.wait(0.05)
            except OSError:
                is_cut.set()

    with socket.create_server(("127.0.0.1", 0)) as listener:
        receiver = threading.Thread(target=trickle)
        receiver.start()
        url = f"http://127.0.0.1:{listener.getsockname()[1]}/hook"
        with pytest.raises(WebhookError) as caught:
            deliver(Delivery("id", url, b"{}"), b"secret", allow_private=True)
        receiver.join()
    assert (caught.value.may_pass, caught.value.unclear) == (True, True)
    assert is_cut.is_set()
