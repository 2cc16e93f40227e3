"""The settings of the SMTP edge: what is refused at the start, by name, and never shown."""

from ipaddress import ip_network
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    KeySerializationEncryption,
    NoEncryption,
    PrivateFormat,
)

from engine.email.dkim import DkimSigner
from engine.errors import SettingsError
from engine.settings import load_settings

SECRET = "hunter2-hunter2"
SIGNING = {"dkim_domain": "connect.example", "dkim_selector": "s1"}


def pem(
    key: RSAPrivateKey | Ed25519PrivateKey | ec.EllipticCurvePrivateKey,
    encryption: KeySerializationEncryption | None = None,
) -> str:
    """A private key as a file has it."""
    sealed = encryption or NoEncryption()
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, sealed).decode()


@pytest.mark.parametrize(
    ("given", "why"),
    [
        ("", "must name a server"),
        (f"smtp://a smtp://u:x/{SECRET}@b:25", "server 2 of 2 is not a URL"),
        (f"http://u:{SECRET}@a", "smtp\\+plain://"),
        (f"smtp://:{SECRET}@a", "user name"),
        (f"smtp://u:{SECRET}@", "must name a host"),
        (f"smtp://u:p@a:25/{SECRET}", "must end with its port"),
        (f"smtp+plain://u:{SECRET}@10.0.0.1", "must not sign in"),
        (f"smtps://a,smtp://u:a,{SECRET}@b", "server 2 of 3 is not a URL: percent-encode"),
    ],
)
def test_a_server_that_cannot_be_is_refused(given: str, why: str) -> None:
    """Which server, and what is wrong with it; no password is repeated."""
    with pytest.raises(SettingsError, match=why) as refused:
        load_settings(smtp_url=given)
    assert "SMTP_URL" in str(refused.value)
    assert SECRET not in str(refused.value)


@pytest.mark.parametrize("between", [",", " ", ", ", "\n"])
def test_several_servers_keep_their_order(between: str) -> None:
    """Commas, spaces and lines stand between servers."""
    urls = ["smtps://u:p%2C@a", "smtp://b:587", "smtp+plain://10.0.0.1"]
    assert load_settings(smtp_url=between.join(urls)).smtp_urls() == urls


def test_networks_and_authorities_are_checked(tmp_path: Path) -> None:
    """A network must be one, and the authority's file must be there."""
    settings = load_settings(smtp_plain_networks="10.1.0.0/16, fd00::/8")
    assert settings.plain_networks() == [ip_network("10.1.0.0/16"), ip_network("fd00::/8")]
    with pytest.raises(SettingsError, match="SMTP_PLAIN_NETWORKS"):
        load_settings(smtp_plain_networks="10.1.0.1/16")
    with pytest.raises(SettingsError, match="SMTP_CA_FILE"):
        load_settings(smtp_ca_file=tmp_path / "missing.pem")


@pytest.mark.parametrize(
    ("changed", "why"),
    [
        ({"dkim_selector": "a_b"}, "DKIM_SELECTOR: must be a DNS label"),
        ({"dkim_selector": "-a"}, "DKIM_SELECTOR: must be a DNS label"),
        ({"dkim_selector": "a,a"}, "DKIM_SELECTOR: must name each selector once"),
        ({"dkim_selector": "a,b"}, "DKIM_KEY: must name as many keys"),
        ({"dkim_selector": ""}, "all three must be set"),
        ({"dkim_key": None}, "all three must be set"),
        ({"dkim_domain": None}, "all three must be set"),
        ({"dkim_domain": "elsewhere.example"}, "DKIM_DOMAIN: must be the domain of MAIL_FROM"),
        ({"dkim_domain": "nnect.example"}, "DKIM_DOMAIN: must be the domain of MAIL_FROM"),
        ({"dkim_domain": "example"}, "DKIM_DOMAIN: must be a domain"),
        ({"dkim_domain": "connect..example"}, "DKIM_DOMAIN: must be a domain"),
    ],
)
def test_a_signature_that_would_prove_nothing_is_refused(
    changed: dict[str, str | None], why: str
) -> None:
    """Before the first message, and not by the first reader's server."""
    given = SIGNING | {"dkim_key": pem(Ed25519PrivateKey.generate())} | changed
    with pytest.raises(SettingsError, match=why):
        load_settings(**given)


@pytest.mark.parametrize("domain", ["connect.example", "CONNECT.example", "mail.connect.example"])
def test_the_domain_is_of_the_senders_organization(domain: str) -> None:
    """The same, one below, and one above."""
    key = pem(Ed25519PrivateKey.generate())
    assert load_settings(**SIGNING | {"dkim_domain": domain, "dkim_key": key}).dkim_domain == domain
    above = load_settings(**SIGNING, dkim_key=key, mail_from="no-reply@mail.connect.example")
    assert above.dkim_fault() is None


@pytest.mark.parametrize(
    ("key", "why"),
    [
        (pem(rsa.generate_private_key(65537, 1024)), "at least 2048 bits"),  # noqa: S505  it is refused
        (pem(ec.generate_private_key(ec.SECP256R1())), "must be RSA or Ed25519"),
        (pem(Ed25519PrivateKey.generate(), BestAvailableEncryption(b"x")), "without a passphrase"),
        ("/nowhere/dkim.pem", "cannot be read"),
        (
            f"-----BEGIN PRIVATE KEY-----\n{SECRET}\n-----END PRIVATE KEY-----\n",
            "private key in PEM",
        ),
    ],
    ids=["short", "curve", "sealed", "missing", "nonsense"],
)
def test_a_key_that_cannot_sign_is_refused(key: str, why: str) -> None:
    """By its selector and what is wrong with it; nothing of it is shown."""
    settings = load_settings(**SIGNING, dkim_key=key)
    with pytest.raises(SettingsError, match=why) as refused:
        DkimSigner.of(settings.dkim_domain, settings.dkim_keys())
    assert "DKIM_KEY" in str(refused.value)
    assert SECRET not in str(refused.value)
    assert key not in repr(settings)


def test_without_a_domain_nothing_is_signed() -> None:
    """Signing is asked for by setting."""
    settings = load_settings()
    assert DkimSigner.of(settings.dkim_domain, settings.dkim_keys()) is None


def test_two_keys_have_a_selector_each(tmp_path: Path) -> None:
    """A file and PEM itself, in the order of their selectors."""
    file = tmp_path / "rsa.pem"
    file.write_text(pem(rsa.generate_private_key(65537, 2048)))
    settings = load_settings(
        dkim_domain="connect.example",
        dkim_selector="r1, e1",
        dkim_key=f"{file},{pem(Ed25519PrivateKey.generate())}",
    )
    signer = DkimSigner.of(settings.dkim_domain, settings.dkim_keys())
    assert signer is not None
    assert [(key.selector, key.algorithm) for key in signer.keys] == [
        ("r1", "rsa-sha256"),
        ("e1", "ed25519-sha256"),
    ]
