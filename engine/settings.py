"""Every setting, from the environment or a `.env` file; a wrong one is named, never echoed."""

import base64
import hashlib
import os
import re
from datetime import timedelta
from functools import cached_property
from ipaddress import IPv4Network, IPv6Network, ip_network
from pathlib import Path
from typing import Annotated, Any, Final, Literal
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, SecretStr, ValidationError, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict
from pydantic_settings import SettingsError as UnreadableError

from engine.errors import SettingsError
from engine.redis_address import redis_fault


def _demonstration_key(purpose: str) -> str:
    """A key that everyone knows, for a machine that holds no real data."""
    digest = hashlib.sha256(f"customer-connect demonstration {purpose}".encode()).digest()
    return base64.b64encode(digest).decode()


_DEMONSTRATION_SEALING_KEY: Final = _demonstration_key("sealing")
_DEMONSTRATION_PEPPER: Final = _demonstration_key("pepper")
_DEMONSTRATION_TAG_KEY: Final = _demonstration_key("tags")
_DEMONSTRATION_PHONE_TOKEN: Final = _demonstration_key("phone")
_DEMONSTRATION_AGENT: Final = "+19165550100"
"""A number that is set aside for fiction."""

_SMTP_SCHEMES: Final = ("smtp", "smtps", "smtp+starttls", "smtp+plain")
_LABEL: Final = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?")


class Agency(BaseModel):
    """The agency's names and numbers, in one profile; the defaults come from its brochures."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    official: bool = False
    programme_en: str = "Customer Connect"
    programme_es: str = "Cliente Conectado"
    name_en: str = "California Child Support Services"
    name_es: str = "Servicios de Manutención de Menores de California"
    phone: str = "1-866-901-3212"
    tty: str = "1-866-399-4096"
    phone_abroad: str = "1-408-273-0073"
    site: str = "www.cse.ca.gov/CustomerConnect"
    return_address: tuple[str, ...] = (
        "CALIFORNIA CHILD SUPPORT SERVICES",
        "PO BOX 419064 A-130",
        "RANCHO CORDOVA CA 95741",
    )
    local_offices: dict[str, tuple[str, ...]] = {}
    """County → the lines of its office's return address; others have the one above."""
    taglines: dict[str, str] = {
        "es": "Ayuda en español",
        "vi": "Trợ giúp bằng tiếng Việt",
        "tl": "Tulong sa Tagalog",
        "hmn": "Kev pab ua lus Hmoob",
    }
    """BCP 47 tag → that there is help in this language. Letters are set in Public Sans, which
    draws Latin script and no other."""

    def return_address_of(self, county: str | None) -> tuple[str, ...]:
        """Where letters about a case of `county` come back to."""
        return self.local_offices.get(county or "", self.return_address)

    def programme(self, language: str) -> str:
        """The programme's name in `language`."""
        return self.programme_es if language == "es" else self.programme_en

    def name(self, language: str) -> str:
        """The agency's name in `language`."""
        return self.name_es if language == "es" else self.name_en


class Retention(BaseModel):
    """How long each class of records is kept, once it is done with; docs/retention.md says why."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    communication_years: Annotated[float, Field(ge=1)] = 4
    """Communications, their deliveries and events; print batches and their pieces; campaigns."""
    document_years: Annotated[float, Field(ge=1)] = 4
    message_years: Annotated[float, Field(ge=1)] = 4
    """What parents and caseworkers wrote, and what was reported of the other party."""
    consent_years: Annotated[float, Field(ge=1)] = 7
    """Consents and choices of reminders, from when the next one took their place."""
    contact_years: Annotated[float, Field(ge=1)] = 4
    """Contact points that were superseded, and why nothing more was sent there."""
    bounce_report_days: Annotated[int, Field(ge=90)] = 400
    print_file_days: Annotated[int, Field(ge=30)] = 90
    """Our copies of batches, and of what the vendor answered."""
    pin_request_days: Annotated[int, Field(ge=30)] = 365
    pin_hash_days: Annotated[int, Field(ge=1)] = 30
    """Hashes of PINs that open nothing any more."""
    link_days: Annotated[int, Field(ge=1)] = 30
    """Links that proved an email address, from when they ran out."""
    unconfirmed_account_days: Annotated[int, Field(ge=2)] = 30
    """Accounts of the application site that nobody confirmed, from when they were opened."""
    unused_account_days: Annotated[int, Field(ge=90)] = 730
    """Those that nobody signed in to, and that hold no application."""
    feed_days: Annotated[int, Field(ge=7, le=365)] = 30
    """Places of the feed, from when they were given out; what they tell of stays."""
    kept_answer_days: Annotated[int, Field(ge=1)] = 30
    """What the machine API answered, for when a request comes again under its Idempotency-Key."""
    application_years: Annotated[float, Field(ge=1)] = 4
    """Applications that were submitted and handed over to the case system."""
    draft_days: Annotated[int, Field(ge=1)] = 1
    """Drafts of applications, from when they ran out."""


class Settings(BaseSettings):
    """What the system runs with. The three URLs may be unset: then embedded servers are used."""

    model_config = SettingsConfigDict(
        env_file=".env", env_nested_delimiter="__", extra="ignore", frozen=True
    )

    profile: Literal["development", "production"] = "development"
    data_dir: Path = Path("var")
    database_url: SecretStr | None = None
    redis_url: SecretStr | None = None
    smtp_url: SecretStr | None = None

    agency: Agency = Agency()
    public_url: str = "http://127.0.0.1:8000"
    mail_from: str = "no-reply@connect.example"
    return_path_domain: str = "bounces.connect.example"
    complaints_to: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9.-]{0,60}$")] = "complaints"
    """Of RETURN_PATH_DOMAIN: where feedback loops send their reports."""
    bounce_maildir: Path | None = None
    """Where a mail system delivers what comes back, if it does not hand it to our receiver."""
    dkim_domain: str | None = None
    dkim_selector: str = ""
    dkim_key: SecretStr | None = None
    """PEM files, or PEM itself; with two, RSA and Ed25519, as many selectors in the same order."""

    operator_email: str = ""
    """Who is told of alarms: addresses, by commas."""
    alarm_webhook_url: SecretStr | None = None
    """Where alarms are posted as JSON; it may hold a token of whoever listens there."""
    alarm_webhook_secret: SecretStr | None = None
    """`whsec_` and base64: the key that they are signed with (Standard Webhooks)."""

    webhook_private_networks: str = ""
    """Private networks that webhooks may be posted to: by commas, as 10.1.0.0/16."""
    webhook_ca_file: Path | None = None
    """Authorities that sign for webhook endpoints, in PEM, in place of the public ones."""
    webhook_dead_days: Annotated[float, Field(gt=0, le=30)] = 3
    """After so long without an answer an endpoint is disabled, and that is an alarm."""

    sealing_keys: dict[str, SecretStr] = {
        "demonstration": SecretStr(_DEMONSTRATION_SEALING_KEY),
    }
    sealing_key_id: str = "demonstration"
    personal_columns: Literal["sealed", "both"] = "sealed"
    """`both` while a version from before sealing is at work on the same database."""
    pin_pepper: SecretStr = SecretStr(_DEMONSTRATION_PEPPER)
    pin_pepper_id: str = "1"
    pin_peppers_retired: dict[str, SecretStr] = {}
    tag_key: SecretStr = SecretStr(_DEMONSTRATION_TAG_KEY)

    pin_digits: Annotated[int, Field(ge=4, le=12)] = 6
    participant_id_digits: Annotated[int, Field(ge=4, le=20)] = 10
    case_number_digits: Annotated[int, Field(ge=4, le=20)] = 15
    forgot_pin_rate: str = "10/minute"
    forgot_pin_rate_per_participant: str = "5/hour"
    sign_in_rate: str = "60/minute"
    """By network: an office or a library has many parents behind one address."""
    sign_in_rate_per_participant: str = "20/hour"
    """By Participant ID Number and network together."""
    sign_in_slow_seconds: Annotated[float, Field(ge=0, le=10)] = 1.0
    """How long the third attempt after failures in a row takes; each after it twice as long."""
    lock_after_failures: Annotated[int, Field(ge=1, le=100)] = 5
    lock_first_minutes: Annotated[int, Field(ge=1)] = 5
    lock_most_minutes: Annotated[int, Field(ge=1)] = 24 * 60
    api_rate: str = "600/minute"
    """Requests of one API key, whatever each asks for."""
    api_unknown_rate: str = "30/minute"
    """Tokens that are none of ours, by network."""
    pin_hashes_at_once: Annotated[int, Field(ge=1, le=64)] = 2
    session_idle_minutes: Annotated[int, Field(ge=3, le=120)] = 15
    session_hours: Annotated[int, Field(ge=1, le=24)] = 12
    register_rate: str = "20/hour"
    """Of accounts on the application site, by network."""
    quick_exit_url: str = "https://www.weather.gov/"
    """Where the application site's button leads that leaves it at once: a page that anybody may
    have open."""
    kiosk: bool = False
    """Whether this portal is for browsers that one person uses after another, as in an office's
    lobby: short sessions, nothing left behind."""
    kiosk_idle_minutes: Annotated[int, Field(ge=3, le=15)] = 5
    email_cooling_hours: Annotated[int, Field(ge=0)] = 24
    """How long after its proof a new email address is used for a PIN."""
    address_cooling_days: Annotated[int, Field(ge=0)] = 10
    """How long after a change a mail address is used for a PIN without the caseworker."""
    application_draft_days: Annotated[int, Field(ge=1, le=365)] = 30
    """An application that is not submitted is kept so long after its last change."""
    caseworker_reply_days: Annotated[int, Field(ge=1, le=30)] = 3
    """Business days within which a caseworker's reply is promised."""
    documents_url: str | None = None
    """Where the documents of the inbox are kept: a bucket (s3://…) or a folder (file:///…); the
    data folder's `documents/` when unset."""
    inbox_reminder_days: Annotated[int, Field(ge=1, le=30)] = 3
    """Business days after which the reader of an unopened document is reminded, once."""
    inbox_paper_days: Annotated[int, Field(ge=1, le=60)] = 5
    """Business days after which an unopened document goes by mail, if its notice asks for it."""
    audit_years: Annotated[int, Field(ge=1)] = 7
    retention: Retention = Retention()

    phone_auth_token: SecretStr | None = None
    """What the voice platform signs its webhooks with; unset, there is no phone line, but for a
    demonstration's in development."""
    phone_base_url: str | None = None
    """The address that the platform was told, as far as the host; PUBLIC_URL when unset."""
    phone_agent_number: str = _DEMONSTRATION_AGENT
    """The number at which agents answer in office hours."""
    phone_menus: Path | None = None
    """Menus of one's own in place of ours, in the same form."""
    phone_pin_rate_per_participant: str = "3/day"
    """How often a new PIN may be asked for by telephone, where the number alone is asked for."""

    chunk: Annotated[int, Field(ge=1, le=500)] = 500
    lease_seconds: Annotated[int, Field(ge=5, le=3600)] = 40
    smtp_connections: Annotated[int, Field(ge=1, le=100)] = 4
    smtp_timeout_seconds: Annotated[float, Field(gt=0, le=600)] = 30.0
    smtp_ca_file: Path | None = None
    smtp_plain_networks: str = ""
    """Where mail may travel in the clear: networks, by commas, as 10.1.0.0/16."""
    smtp_one_by_one: str = ""
    """Servers of SMTP_URL that are sent one command at a time though they offer PIPELINING: hosts,
    or hosts with ports, by commas."""
    retry_first_seconds: Annotated[float, Field(gt=0)] = 5.0
    retry_most_seconds: Annotated[float, Field(gt=0)] = 1800.0
    attempts_most: Annotated[int, Field(ge=1)] = 12
    quiet_hours: str = "21:00-08:00"
    """When reminders are not emailed, in Pacific time; empty for no such hours."""
    soft_bounces_most: Annotated[int, Field(ge=1, le=100)] = 3
    """So many soft bounces within SOFT_BOUNCE_DAYS, and nothing more is sent to that address."""
    soft_bounce_days: Annotated[int, Field(ge=1, le=365)] = 7
    soft_bounce_retry_hours: Annotated[float, Field(gt=0, le=72)] = 4.0
    """How long after a soft bounce it is sent again; twice as long after each that follows."""

    print_agency: Annotated[str, Field(pattern=r"^[a-z0-9]{2,12}$")] = "ccss"
    print_env: Literal["test", "prod"] = "test"
    print_job: Annotated[str, Field(pattern=r"^[a-z0-9]{2,16}$")] = "letters"
    print_processes: Annotated[int, Field(ge=1, le=64)] = min(os.cpu_count() or 1, 8)
    print_pieces_per_part: Annotated[int, Field(ge=1, le=500)] = 500
    imb_mode: Literal["vendor", "ours"] = "vendor"
    imb_mailer_id: str = ""
    imb_barcode_id: str = "00"
    imb_service_type: str = "700"
    vendor_certificate: Path | None = None
    print_signing_key: Path | None = None
    print_drop_url: str | None = None
    print_test_drop_url: str | None = None
    print_sftp_key: Path | None = None
    print_sftp_host_keys: Path | None = None

    @field_validator("database_url")
    @classmethod
    def _postgresql_only(cls, value: SecretStr | None) -> SecretStr | None:
        return _with_scheme(value, ("postgresql", "postgresql+asyncpg"))

    @field_validator("redis_url")
    @classmethod
    def _redis_only(cls, value: SecretStr | None) -> SecretStr | None:
        if value is not None and (fault := redis_fault(value.get_secret_value())):
            raise ValueError(fault)
        return value

    @field_validator("smtp_url")
    @classmethod
    def _smtp_only(cls, value: SecretStr | None) -> SecretStr | None:
        urls = [] if value is None else _several(value.get_secret_value())
        if value is not None and not urls:
            raise ValueError("must name a server: smtp://host:port")
        for url in urls:
            if fault := _smtp_fault(url):
                where = f"server {urls.index(url) + 1} of {len(urls)} " if len(urls) > 1 else ""
                raise ValueError(f"{where}{fault}")
        return value

    @field_validator("smtp_ca_file", "webhook_ca_file")
    @classmethod
    def _ca_file(cls, value: Path | None) -> Path | None:
        if value is not None and not value.is_file():
            raise ValueError("must name a file of certificates in PEM")
        return value

    @field_validator("smtp_plain_networks", "webhook_private_networks")
    @classmethod
    def _networks(cls, value: str) -> str:
        try:
            for network in _several(value):
                ip_network(network)
        except ValueError:
            raise ValueError("must be networks like 10.1.0.0/16, by commas") from None
        return value

    @field_validator("operator_email")
    @classmethod
    def _operators(cls, value: str) -> str:
        for address in _several(value):
            local, _, domain = address.rpartition("@")
            if not re.fullmatch(r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]+", local) or not _is_domain(
                domain
            ):
                raise ValueError("must be addresses like operator@connect.example, by commas")
        return value

    @field_validator("alarm_webhook_url")
    @classmethod
    def _webhook_only(cls, value: SecretStr | None) -> SecretStr | None:
        value = _with_scheme(value, ("https", "http"))
        if value is not None:
            parts = urlsplit(value.get_secret_value())
            at_home = parts.scheme == "http" and parts.hostname in {"localhost", "127.0.0.1", "::1"}
            if not parts.hostname or not (parts.scheme == "https" or at_home):
                raise ValueError(
                    "must begin with https:// and a host; http:// only on the loopback"
                )
        return value

    @field_validator("alarm_webhook_secret")
    @classmethod
    def _signable(cls, value: SecretStr | None) -> SecretStr | None:
        if value is not None and not 24 <= len(_webhook_key(value)) <= 64:
            raise ValueError("must be whsec_ and 24 to 64 bytes in base64")
        return value

    @field_validator("dkim_domain")
    @classmethod
    def _domain(cls, value: str | None) -> str | None:
        if value is not None and not _is_domain(value):
            raise ValueError("must be a domain like connect.example")
        return value

    @field_validator("dkim_selector")
    @classmethod
    def _selectors(cls, value: str) -> str:
        names = _several(value)
        # RFC 6376, 3.1: a selector is one DNS label, or several with dots between them.
        if not all(_LABEL.fullmatch(label) for name in names for label in name.split(".")):
            raise ValueError("must be a DNS label like s2026: letters, digits and hyphens")
        if len(set(names)) != len(names):
            raise ValueError("must name each selector once")
        return value

    @field_validator("phone_auth_token")
    @classmethod
    def _signing_token(cls, value: SecretStr | None) -> SecretStr | None:
        # Whoever guesses it may say that anything was pressed in any call.
        if value is not None and len(value.get_secret_value()) < 16:
            raise ValueError("must be the voice platform's auth token, of 16 characters or more")
        return value

    @field_validator("phone_base_url")
    @classmethod
    def _base_only(cls, value: str | None) -> str | None:
        parts = urlsplit(value or "https://connect.example")
        if parts.scheme not in {"https", "http"} or not parts.hostname or parts.path.strip("/"):
            raise ValueError("must be a scheme and a host, like https://connect.example")
        return value

    @field_validator("phone_agent_number")
    @classmethod
    def _dialled(cls, value: str) -> str:
        # ITU-T E.164: a plus, the country's code, and at most fifteen digits in all.
        if re.fullmatch(r"\+[1-9][0-9]{6,14}", value) is None:
            raise ValueError("must be a number in full, like +19165550100")
        return value

    @field_validator("print_job")
    @classmethod
    def _no_proof(cls, value: str) -> str:
        if value == "proof":
            raise ValueError("must not be proof: proofs are numbered by that name")
        return value

    @field_validator("print_drop_url", "print_test_drop_url")
    @classmethod
    def _drop_url(cls, value: str | None) -> str | None:
        if value is not None and (fault := _drop_fault(value)):
            raise ValueError(fault)
        return value

    @field_validator(
        "forgot_pin_rate",
        "forgot_pin_rate_per_participant",
        "sign_in_rate",
        "sign_in_rate_per_participant",
        "phone_pin_rate_per_participant",
        "api_rate",
        "api_unknown_rate",
        "register_rate",
    )
    @classmethod
    def _rate(cls, value: str) -> str:
        count, _, period = value.partition("/")
        if not count.isdigit() or period not in {"second", "minute", "hour", "day"}:
            raise ValueError("must read like 5/hour: a number, a slash, second|minute|hour|day")
        return value

    @field_validator("quiet_hours")
    @classmethod
    def _a_night(cls, value: str) -> str:
        if (
            value
            and re.fullmatch(r"([01]\d|2[0-3]):[0-5]\d-([01]\d|2[0-3]):[0-5]\d", value) is None
        ):
            raise ValueError("must read like 21:00-08:00, or be empty for none")
        evening, _, morning = value.partition("-")
        if value and morning >= evening:
            raise ValueError("must begin in the evening and end in the morning, like 21:00-08:00")
        return value

    @field_validator("imb_mailer_id")
    @classmethod
    def _mailer_id(cls, value: str) -> str:
        # Postal Bulletin 22290: the first digit says how many there are.
        if re.fullmatch(r"([0-8][0-9]{5}|9[0-9]{8})?", value) is None:
            raise ValueError("must be six digits that begin with 0 to 8, or nine that begin with 9")
        return value

    @field_validator("imb_barcode_id")
    @classmethod
    def _barcode_id(cls, value: str) -> str:
        if re.fullmatch(r"[0-9][0-4]", value) is None:
            raise ValueError("must be two digits, the second of them 0 to 4")
        return value

    @field_validator("imb_service_type")
    @classmethod
    def _service_type(cls, value: str) -> str:
        if re.fullmatch(r"[0-9]{3}", value) is None:
            raise ValueError("must be three digits, from the STID table of USPS")
        return value

    @field_validator("sealing_keys")
    @classmethod
    def _sealing_keys(cls, value: dict[str, SecretStr]) -> dict[str, SecretStr]:
        for key_id, key in value.items():
            if re.fullmatch(r"[A-Za-z0-9._-]{1,40}", key_id) is None:
                raise ValueError("the ids must be of plain letters, digits, dots and hyphens")
            if len(_decoded(key, key_id)) != 32:
                raise ValueError(f"the key {key_id!r} must be 32 bytes in base64 (AES-256)")
        return value

    @cached_property
    def sealing_key_bytes(self) -> dict[str, bytes]:
        """Key id → 32 bytes."""
        return {key_id: _decoded(key, key_id) for key_id, key in self.sealing_keys.items()}

    @property
    def complaints_address(self) -> str:
        """Where feedback loops send their reports."""
        return f"{self.complaints_to}@{self.return_path_domain}"

    @property
    def session_idle(self) -> timedelta:
        """How long a session lasts in which nothing is asked for."""
        return timedelta(
            minutes=self.kiosk_idle_minutes if self.kiosk else self.session_idle_minutes
        )

    def tag_key_bytes(self) -> bytes:
        """The key under which Message-IDs, return paths and throttle scopes are derived."""
        return self.tag_key.get_secret_value().encode()

    def phone_token(self) -> str | None:
        """The token that webhooks of the phone line are signed with; None where there is no line.
        In development everybody knows it."""
        if self.phone_auth_token is not None:
            return self.phone_auth_token.get_secret_value()
        return _DEMONSTRATION_PHONE_TOKEN if self.profile == "development" else None

    def phone_url(self) -> str:
        """The address of the phone line, as far as its host, as webhooks are signed for it."""
        return (self.phone_base_url or self.public_url).rstrip("/")

    def smtp_urls(self) -> list[str]:
        """The smarthosts, in the order in which they are to be used."""
        return [] if self.smtp_url is None else _several(self.smtp_url.get_secret_value())

    def operator_emails(self) -> list[str]:
        """Who is told of alarms by email, each once."""
        return list(dict.fromkeys(_several(self.operator_email)))

    def alarm_webhook_key(self) -> bytes | None:
        """The key that alarms are signed with, if they are."""
        secret = self.alarm_webhook_secret
        return None if secret is None else _webhook_key(secret)

    def plain_networks(self) -> list[IPv4Network | IPv6Network]:
        """Where mail may travel in the clear."""
        return [ip_network(network) for network in _several(self.smtp_plain_networks)]

    def webhook_networks(self) -> list[IPv4Network | IPv6Network]:
        """Private networks that webhooks may be posted to."""
        return [ip_network(network) for network in _several(self.webhook_private_networks)]

    def smtp_one_by_one_hosts(self) -> list[str]:
        """The smarthosts to which commands are not sent in groups."""
        return _several(self.smtp_one_by_one)

    def dkim_keys(self) -> dict[str, str]:
        """Selector → a PEM file's path, or PEM itself."""
        if self.dkim_key is None:
            return {}
        given = [key.strip() for key in self.dkim_key.get_secret_value().split(",")]
        return dict(zip(_several(self.dkim_selector), filter(None, given), strict=True))

    def dkim_fault(self) -> str | None:
        """Why mail cannot be signed as these settings say; None when it can, or none is."""
        given = (self.dkim_domain, self.dkim_selector, self.dkim_key)
        if not any(given):
            return None
        if self.dkim_domain is None or not self.dkim_selector or self.dkim_key is None:
            return "DKIM_DOMAIN, DKIM_SELECTOR and DKIM_KEY: all three must be set, or none"
        try:
            self.dkim_keys()
        except ValueError:
            return "DKIM_KEY: must name as many keys as DKIM_SELECTOR has selectors"
        sender = self.mail_from.rpartition("@")[2].lower()
        ours = self.dkim_domain.lower()
        # RFC 7489, 3.1.1: DMARC's relaxed alignment asks for one organization's domain.
        if not (f".{sender}".endswith(f".{ours}") or f".{ours}".endswith(f".{sender}")):
            return "DKIM_DOMAIN: must be the domain of MAIL_FROM, or one above or below it"
        return None

    def _phone_faults(self) -> list[str]:
        """Why a phone line that is open may not serve real parents."""
        faults = []
        if self.phone_token() == _DEMONSTRATION_PHONE_TOKEN:
            faults.append("PHONE_AUTH_TOKEN is the demonstration's, which everyone knows")
        if self.phone_agent_number == _DEMONSTRATION_AGENT:
            faults.append("PHONE_AGENT_NUMBER must be set: nobody answers at the demonstration's")
        if urlsplit(self.phone_url()).scheme != "https":
            faults.append("PHONE_BASE_URL must begin with https://: what is pressed travels there")
        return faults

    def production_faults(self) -> list[str]:
        """Why these settings may not serve real parents; empty when they may."""
        faults = [
            f"{name.upper()} must be set: the embedded server is for trying out"
            for name in ("database_url", "redis_url", "smtp_url")
            if getattr(self, name) is None
        ]
        known = {_DEMONSTRATION_SEALING_KEY, _DEMONSTRATION_PEPPER, _DEMONSTRATION_TAG_KEY}
        held = {"PIN_PEPPER": self.pin_pepper, "TAG_KEY": self.tag_key}
        held |= {f"SEALING_KEYS ({key_id})": key for key_id, key in self.sealing_keys.items()}
        faults += [
            f"{name} is the demonstration key, which everyone knows: set your own"
            for name, key in held.items()
            if key.get_secret_value() in known
        ]
        faults += [
            f"{name.upper()} must name a file: demonstration keys are public"
            for name in ("vendor_certificate", "print_signing_key")
            if getattr(self, name) is None
        ]
        if self.phone_auth_token is not None:
            faults += self._phone_faults()
        if self.print_drop_url is None:
            faults.append("PRINT_DROP_URL must say where batches go: a vendor's drop, or a folder")
        if urlsplit(self.public_url).scheme != "https":
            faults.append("PUBLIC_URL must begin with https://")
        if urlsplit(self.public_url).hostname != self.agency.site.partition("/")[0]:
            faults.append(
                "PUBLIC_URL must be on the host of AGENCY__SITE: a button that leads elsewhere "
                "than the address beneath it looks like a forgery"
            )
        return faults


def _decoded(key: SecretStr, key_id: str) -> bytes:
    try:
        return base64.b64decode(key.get_secret_value(), validate=True)
    except ValueError:
        raise ValueError(f"the key {key_id!r} is not base64") from None


def _webhook_key(secret: SecretStr) -> bytes:
    """The key in `whsec_` and base64, as Standard Webhooks writes it."""
    written = secret.get_secret_value().removeprefix("whsec_")
    try:
        return base64.b64decode(written, validate=True)
    except ValueError:
        raise ValueError("is not whsec_ and base64") from None


def _with_scheme(value: SecretStr | None, allowed: tuple[str, ...]) -> SecretStr | None:
    if value is None:
        return None
    try:
        parts = urlsplit(value.get_secret_value())
        parts.port  # noqa: B018  reading it is the check
    except ValueError:
        raise ValueError("is not a URL: percent-encode what is special in a password") from None
    if parts.scheme not in allowed:
        schemes = " or ".join(f"{scheme}://" for scheme in allowed)
        raise ValueError(f"must be a URL that begins with {schemes}")
    return value


def _several(value: str) -> list[str]:
    """What stands in `value` by commas or spaces."""
    return value.replace(",", " ").split()


def _is_domain(value: str) -> bool:
    labels = value.split(".")
    return len(labels) > 1 and all(_LABEL.fullmatch(label) for label in labels)


def _smtp_fault(url: str) -> str | None:
    """Why no mail can be handed over at `url`, without showing it; None when it can."""
    try:
        parts = urlsplit(url)
        parts.port  # noqa: B018  reading it is the check
    except ValueError:
        return "is not a URL: percent-encode what is special in a password"
    schemes = " or ".join(f"{scheme}://" for scheme in _SMTP_SCHEMES)
    faults = {
        f"must be a URL that begins with {schemes}": parts.scheme not in _SMTP_SCHEMES,
        "must name a host": not parts.hostname,
        "must end with its port: percent-encode what is special in a password": bool(
            parts.path.strip("/") or parts.query or parts.fragment
        ),
        "must have a user name before its password": bool(parts.password and not parts.username),
        "must not sign in over smtp+plain://, which shows the password to the network": bool(
            parts.scheme == "smtp+plain" and parts.username
        ),
    }
    return next((fault for fault, is_so in faults.items() if is_so), None)


def _drop_fault(url: str) -> str | None:
    """Why a drop cannot be at `url`, without showing it; None when it can."""
    try:
        parts = urlsplit(url)
        parts.port  # noqa: B018  reading it is the check
    except ValueError:
        return "is not a URL"
    if parts.password is not None or (parts.scheme == "s3" and parts.username is not None):
        return (
            "must hold no password or key: SFTP signs in with PRINT_SFTP_KEY, S3 with what stands "
            "in the AWS_ variables"
        )
    if parts.query or parts.fragment:
        return "must end with its path: percent-encode ? and #"
    whole = {
        "sftp": bool(parts.username and parts.hostname),
        "file": bool(not parts.netloc and parts.path.startswith("/")),
        "s3": bool(parts.hostname),
    }
    if not whole.get(parts.scheme):
        return "must read like sftp://user@host:port/path, file:///path or s3://bucket/prefix"
    return None


def load_settings(**overrides: Any) -> Settings:
    """Read the settings; `overrides` (by field name) win over the environment.

    Raises SettingsError, which names each variable, what was wrong and what is allowed, and shows
    no value that was given. A production profile with demonstration keys or embedded servers is
    refused.
    """
    try:
        settings = Settings(**overrides)
    except UnreadableError as error:
        # Its text names the field; what it was given stands in its cause, which is not shown.
        raise SettingsError(f"{_field_in(str(error))}: is not JSON; see .env.example") from None
    except ValidationError as error:
        faults = [
            f"{'__'.join(str(part) for part in fault['loc']).upper()}: "
            f"{fault['msg'].removeprefix('Value error, ')}"
            for fault in error.errors(include_input=False, include_context=False, include_url=False)
        ]
        raise SettingsError("; ".join(faults)) from None
    if settings.sealing_key_id not in settings.sealing_keys:
        raise SettingsError("SEALING_KEY_ID: must be one of the ids in SEALING_KEYS")
    if settings.imb_mode == "ours" and not settings.imb_mailer_id:
        raise SettingsError("IMB_MAILER_ID: must be the mailer id USPS gave, as IMB_MODE is ours")
    if (settings.print_drop_url or "").startswith("sftp:") and (
        settings.print_sftp_key is None or settings.print_sftp_host_keys is None
    ):
        raise SettingsError(
            "PRINT_SFTP_KEY and PRINT_SFTP_HOST_KEYS must each name a file: PRINT_DROP_URL is SFTP"
        )
    if fault := settings.dkim_fault():
        raise SettingsError(fault)
    if settings.profile == "production" and (faults := settings.production_faults()):
        raise SettingsError("PROFILE is production, but\n  " + "\n  ".join(faults))
    return settings


def _field_in(said: str) -> str:
    found = re.search(r'"([a-z0-9_]+)"', said)
    return found[1].upper() if found else "a setting"
