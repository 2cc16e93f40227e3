"""Settings: a wrong value names its variable and what is allowed, and shows no secret."""

import re
from pathlib import Path

import pytest

from engine.errors import SettingsError
from engine.settings import Settings, load_settings

SECRET = "hunter2-hunter2"
ROOT = Path(__file__).parent.parent

WRONG = [
    ("DATABASE_URL", f"mysql://u:{SECRET}@h/d", "postgresql://"),
    ("REDIS_URL", f"http://:{SECRET}@h", "redis://"),
    ("REDIS_URL", f"redis://u:x/{SECRET}@h:25", "percent-encode"),
    ("REDIS_URL", f"redis+sentinel://u:{SECRET}@a,b", "host:26379/service/0"),
    ("REDIS_URL", f"redis+sentinel://u:{SECRET}@a,b/service/two", "host:26379/service/0"),
    ("REDIS_URL", f"redis+sentinel://a,b/service?password={SECRET}", "?sentinel_password="),
    ("REDIS_URL", f"redis+sentinel://a,b:{SECRET}/service", "each sentinel as host:port"),
    ("REDIS_URL", f"valkey+sentinel://u:{SECRET}@a,,b/service", "each sentinel as host:port"),
    ("SMTP_URL", f"ftp://u:{SECRET}@h", "smtp+starttls://"),
    ("SMTP_URL", f"smtp://u:x/{SECRET}@h:25", "percent-encode"),
    ("DATABASE_URL", f"postgresql://u:x/{SECRET}@h:5432/d", "percent-encode"),
    ("OPERATOR_EMAIL", f"a@b.example,{SECRET}", "operator@connect.example"),
    ("ALARM_WEBHOOK_URL", f"http://hooks.example/{SECRET}", "https://"),
    ("ALARM_WEBHOOK_URL", f"https:///{SECRET}", "https://"),
    ("ALARM_WEBHOOK_SECRET", f"whsec_{SECRET}", "whsec_ and base64"),
    ("ALARM_WEBHOOK_SECRET", "whsec_aGk=", "24 to 64 bytes"),
    ("PIN_DIGITS", "3", "greater than or equal to 4"),
    ("LEASE_SECONDS", "soon", "valid integer"),
    ("FORGOT_PIN_RATE", "often", "like 5/hour"),
    ("PROFILE", "staging", "'development' or 'production'"),
    ("PRINT_ENV", "live", "'test' or 'prod'"),
    ("PRINT_DROP_URL", f"sftp://u:{SECRET}@h/in", "no password"),
    ("PRINT_DROP_URL", f"s3://{SECRET}@bucket/in", "no password or key"),
    ("PRINT_DROP_URL", f"sftp://{SECRET}/in", "sftp://user@host:port/path"),
    ("PRINT_DROP_URL", f"ftp://u@{SECRET}/in", "sftp://user@host:port/path"),
    ("PRINT_DROP_URL", f"file://{SECRET}/in", "file:///path"),
    ("PRINT_DROP_URL", f"file:///in?{SECRET}", "percent-encode"),
    ("PRINT_DROP_URL", f"sftp://u@h:{SECRET}/in", "not a URL"),
    ("PRINT_DROP_URL", "sftp://u@h/in", "PRINT_SFTP_KEY and PRINT_SFTP_HOST_KEYS"),
    ("SEALING_KEYS", f'{{"a": "{SECRET}"}}', "is not base64"),
    ("SEALING_KEYS", '{"a": "aGk="}', "32 bytes"),
    ("SEALING_KEYS", SECRET, "is not JSON"),
    ("SEALING_KEY_ID", "missing", "one of the ids in SEALING_KEYS"),
    ("AGENCY__OFFICIAL", "perhaps", "valid boolean"),
]


@pytest.mark.parametrize(("variable", "value", "allowed"), WRONG)
def test_a_wrong_value_is_named_and_never_echoed(
    monkeypatch: pytest.MonkeyPatch, variable: str, value: str, allowed: str
) -> None:
    """The error says which variable, and what may stand there; not what stood there."""
    monkeypatch.setenv(variable, value)
    with pytest.raises(SettingsError) as caught:
        load_settings()
    said = str(caught.value)
    assert variable in said
    assert allowed in said
    assert SECRET not in said
    assert SECRET not in repr(caught.value.__cause__)


def test_production_refuses_what_is_for_trying_out() -> None:
    """Demonstration keys, embedded servers and demonstration print keys are each named."""
    with pytest.raises(SettingsError) as caught:
        load_settings(profile="production")
    for variable in (
        "DATABASE_URL",
        "REDIS_URL",
        "SMTP_URL",
        "PIN_PEPPER",
        "TAG_KEY",
        "SEALING_KEYS",
        "VENDOR_CERTIFICATE",
        "PRINT_SIGNING_KEY",
        "PRINT_DROP_URL",
        "PUBLIC_URL",
    ):
        assert variable in str(caught.value)


def test_production_starts_with_settings_of_its_own(tmp_path: Path) -> None:
    """With servers and keys of one's own there is nothing to refuse."""
    settings = load_settings(
        profile="production",
        database_url="postgresql://u@db/connect",
        redis_url="redis://cache",
        smtp_url="smtp+starttls://u:p@relay:587",
        sealing_keys={"2026": "A" * 43 + "="},
        sealing_key_id="2026",
        pin_pepper="its-own",
        tag_key="its-own-too",
        vendor_certificate=tmp_path / "vendor.asc",
        print_signing_key=tmp_path / "ours.asc",
        print_drop_url="sftp://agency@sftp.vendor.example/",
        print_sftp_key=tmp_path / "sftp-key",
        print_sftp_host_keys=tmp_path / "known_hosts",
        public_url="https://www.cse.ca.gov/CustomerConnect",
    )
    assert settings.production_faults() == []


def test_no_secret_is_shown_by_the_settings_themselves() -> None:
    """A repr of the settings, as a traceback might print it, holds no secret."""
    settings = load_settings(database_url=f"postgresql://u:{SECRET}@h/d", pin_pepper=SECRET)
    assert SECRET not in repr(settings)
    assert SECRET not in str(settings)


def test_the_example_names_every_setting() -> None:
    """`.env.example` is in step with the settings: each is there, and nothing else is."""
    named = set(re.findall(r"^#([A-Z_]+)=", (ROOT / ".env.example").read_text(), re.MULTILINE))
    fields = {name.upper() for name in Settings.model_fields} - {"AGENCY", "RETENTION"}
    own = {name for name in named if not name.startswith(("AGENCY__", "RETENTION__"))}
    assert own == fields
