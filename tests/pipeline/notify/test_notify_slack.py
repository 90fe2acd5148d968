"""Slack as Apprise calls it: TLS to hooks.slack.com, which a proxy of the environment leads to the test.

Nothing of Apprise is changed: it finds the proxy, and who vouches for the name, as it does for an operator.
"""

import json
import ssl
import sys
import threading
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from pipeline.channels.models import Medium
from pipeline.errors import DeliveryError
from pipeline.models import Alert, AlertState, now
from pipeline.notify import tidings
from pipeline.notify.chat import send_chat
from pipeline.notify.fanout import letter_of

SLACK = "hooks.slack.com"
ADDRESS = f"https://{SLACK}/services/T1JJ3T3L2/A1BRTD4JD/TIiajkdnlazkcOXrIdevi7FQ"


def certificate(folder):
    """Write a certificate of Slack's name that vouches for itself, and its key; return their paths."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, SLACK)])
    at = datetime.now(UTC)
    made = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(at - timedelta(days=1))
        .not_valid_after(at + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(SLACK)]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    paths = folder / "cert.pem", folder / "key.pem"
    paths[0].write_bytes(made.public_bytes(serialization.Encoding.PEM))
    paths[1].write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
    )
    return paths


class Proxy(BaseHTTPRequestHandler):
    """A proxy that is Slack itself behind every tunnel."""

    def do_CONNECT(self):
        self.send_response(200)
        self.end_headers()
        with self.server.context.wrap_socket(self.connection, server_side=True) as line:
            self.server.tunnels.append(self.path)
            self.rfile, self.wfile = line.makefile("rb"), line.makefile("wb")
            self.handle_one_request()
            self.wfile.flush()
        self.close_connection = True

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.got.append((self.path, json.loads(body)))
        answer = self.server.answers.pop(0) if self.server.answers else 200
        self.send_response(answer)
        self.end_headers()
        self.wfile.write(b"ok")

    def log_message(self, *_):
        pass


@pytest.fixture
def slack(tmp_path, monkeypatch):
    """Give a Slack that the environment's proxy leads to."""
    cert, key = certificate(tmp_path)
    server = ThreadingHTTPServer(("127.0.0.1", 0), Proxy)
    server.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.context.load_cert_chain(cert, key)
    server.got, server.tunnels, server.answers = [], [], []
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    for name in ("HTTPS_PROXY", "https_proxy"):
        monkeypatch.setenv(name, f"http://127.0.0.1:{server.server_port}")
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(cert))
    for name in ("NO_PROXY", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def letter():
    alert = Alert(id="disk", state=AlertState.RAISED, since=now(), text="the disk is nearly full")
    return letter_of(tidings.of_alert(alert, "op"), "c", Medium.CHAT)


def test_slack_is_told_at_its_own_name_over_tls(slack, letter):
    send_chat(ADDRESS, letter, footer="https://page.example", again=False, allow_private=True)
    ((path, told),) = slack.got
    assert slack.tunnels == [f"{SLACK}:443"]
    assert path == "/services/T1JJ3T3L2/A1BRTD4JD/TIiajkdnlazkcOXrIdevi7FQ"
    said = json.dumps(told)
    assert "the disk is nearly full" in said
    assert "https://page.example" in said


def test_a_message_that_may_be_there_already_says_so(slack, letter):
    send_chat(ADDRESS, letter, footer="", again=True, allow_private=True)
    assert "Sent once more" in json.dumps(slack.got[0][1])


def test_a_message_waits_for_the_extra_that_it_needs(slack, letter, monkeypatch):
    monkeypatch.setitem(sys.modules, "apprise", None)
    with pytest.raises(DeliveryError, match=r"pip install 'halorow\[chat\]'") as error:
        send_chat(ADDRESS, letter, footer="", again=False, allow_private=True)
    assert (error.value.may_pass, error.value.unclear, slack.got) == (True, False, [])


@pytest.mark.parametrize(("code", "may_pass"), [(503, True), (404, False), (403, False)])
def test_a_refusal_of_slack_is_told_without_the_address(slack, letter, code, may_pass):
    slack.answers += [code]
    with pytest.raises(DeliveryError, match=f"Slack refused it with {code}") as error:
        send_chat(ADDRESS, letter, footer="", again=False, allow_private=True)
    assert error.value.may_pass is may_pass
    assert "TIiajkdnlazkcOXrIdevi7FQ" not in str(error.value)
    assert len(slack.got) == 1


def test_what_is_told_is_not_taken_for_an_answer(slack, letter):
    slack.answers += [503]
    tiding = letter.tiding.model_copy(update={"title": "error=404.tif", "text": "status: 404, refused"})
    with pytest.raises(DeliveryError, match="503") as error:
        send_chat(
            ADDRESS, letter.model_copy(update={"tiding": tiding}), footer="", again=False, allow_private=True
        )
    assert error.value.may_pass


def test_a_slack_that_cannot_be_reached_has_surely_not_been_told(letter, monkeypatch):
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:1")
    with pytest.raises(DeliveryError, match="did not answer") as error:
        send_chat(ADDRESS, letter, footer="", again=False, allow_private=True)
    assert (error.value.may_pass, error.value.unclear) == (True, False)


def test_a_slack_that_nobody_vouches_for_is_told_nothing(slack, letter, monkeypatch):
    monkeypatch.delenv("REQUESTS_CA_BUNDLE")
    with pytest.raises(DeliveryError):
        send_chat(ADDRESS, letter, footer="", again=False, allow_private=True)
    assert slack.got == []


def test_a_proxy_at_a_private_address_is_not_asked_unless_the_operator_allows_it(slack, letter):
    with pytest.raises(DeliveryError, match="not on the public Internet"):
        send_chat(ADDRESS, letter, footer="", again=False, allow_private=False)
    assert slack.tunnels == []
