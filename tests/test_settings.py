"""The environment, read once: defaults, every complaint, and no secret in sight."""

from __future__ import annotations

import json
import pickle
import subprocess
import sys
import traceback
from dataclasses import fields
from datetime import date, time
from pathlib import Path

import pytest
from datasette_auth_passwords.utils import verify_password

from clickup_toolkit.errors import SettingsError
from clickup_toolkit.settings import REQUIRED, SETTINGS, Secret, Settings
from clickup_toolkit.settings.earlier import translated

TOKEN = "pk_183034_K7Q2X9TOPSECRET"
GOOD = {"CLICKUP_TOKEN": TOKEN, "CLICKUP_TEAM_ID": "9011", "API_AUTH_TOKEN": "open-sesame"}
HASH = "pbkdf2_sha256$480000$3f1c$S2Vlc1BlZXBpbmc="
TOKEN_REMEDY = "Make one in ClickUp: your avatar, Settings, Apps, API Token, Generate. It starts with pk_."
TEAM_REMEDY = "It is the first number in your ClickUp addresses: app.clickup.com/<workspace id>/…"
BEARER_REMEDY = 'Invent one: python3 -c "import secrets; print(secrets.token_urlsafe(32))"'
REDIS_REMEDY = "Leave it unset to use the embedded server in the data folder."


def refusal(environ: dict[str, str], *need: str) -> str:
    """Return the message with which these settings are refused."""
    with pytest.raises(SettingsError) as caught:
        Settings.read(environ, need=need)
    return str(caught.value)


def test_nothing_set_gives_the_defaults() -> None:
    """Without any variable every setting has the default that its declaration states."""
    settings = Settings.read({})
    assert settings == Settings()
    stated = {name: setting.default for name, setting in SETTINGS.items()}
    for name in REQUIRED:
        assert stated.pop(name) is None
        assert getattr(settings, name) is None
    read = {name: SETTINGS[name].read(text) if text else None for name, text in stated.items()}
    assert {name: getattr(settings, name) for name in stated} == read


def test_every_declared_setting_is_a_field_and_the_other_way_round() -> None:
    """The declarations and the typed object name the same settings in the same order."""
    assert list(SETTINGS) == [field.name for field in fields(Settings)]


def test_everything_set_is_read_typed() -> None:
    """Each variable arrives in its field with its type."""
    environ = GOOD | {
        "CONCURRENCY": "8",
        "MAX_RETRIES": "3",
        "INITIAL_BACKOFF": "0.25",
        "REDIS_LOCK_TTL": "60",
        "KEEP_LAST_N_EXPORTS": "2",
        "KEEP_DAILY_EXPORTS": "3",
        "CLICKUP_API_URL": "http://127.0.0.1:9000/api/v2/",
        "REDIS_URL": "unix:///run/redis.sock",
        "CLICKUP_DATA_DIR": "/srv/clickup",
        "EXPORT_INTERVAL_HOURS": "0.5",
        "EXPORT_JITTER_MINUTES": "2.5",
        "EXPORT_TIMEOUT_HOURS": "6",
        "RUN_RETRIES": "0",
        "RUN_RETRY_MINUTES": "0",
        "KEEP_RUNS": "9",
        "NOTIFY_WEBHOOK": "https://hooks.example/T0/B0",
        "NOTIFY_MAIL_TO": "ann@example.com, bob@example.com",
        "NOTIFY_MAIL_FROM": "export@example.com",
        "SMTP_URL": "smtps://ann:word@mail.example:465",
        "FULL_EXPORT_HOURS": "12",
        "EXPORT_COMMENTS": "true",
        "EXPORT_TASK_DETAILS": "TRUE",
        "EXPORT_GOALS": "True",
        "EXPORT_DOCS": "false",
        "REREAD_DAYS": "1.5",
        "WORKING_DAYS": "sun-thu",
        "WORKING_HOURS": "13:30-24:00, 08:00-12:00",
        "HOLIDAYS": "2026-12-25, 2027-01-01",
        "TIME_ZONE": "Europe/Berlin",
        "CYCLE_START": "status:Doing, list:App/type:open",
        "CYCLE_END": "status:ready",
        "WAITING_STATUSES": "Review, hold",
        "BLOCKED_STATUSES": "Stuck",
        "STALE_DAYS": "30",
        "DATASETTE_PASSWORD_HASH": HASH,
        "API_AUTH_TOKEN": "open-sesame,\told-sesame",
        "API_TOKEN_IN_QUERY": "true",
        "METRICS_OPEN": "true",
        "TRUSTED_PROXIES": "127.0.0.1, 10.0.0.0/8",
        "HOST": "0.0.0.0",
        "PORT": "8080",
    }
    assert Settings.read(environ, need=REQUIRED) == Settings(
        token=Secret(TOKEN),
        team_id="9011",
        api_auth_token=Secret("open-sesame old-sesame"),
        concurrency=8,
        max_retries=3,
        initial_backoff=0.25,
        redis_lock_ttl=60,
        keep_last_n_exports=2,
        keep_daily_exports=3,
        api_url="http://127.0.0.1:9000/api/v2",
        redis_url="unix:///run/redis.sock",
        data_dir=Path("/srv/clickup"),
        export_interval_hours=0.5,
        export_jitter_minutes=2.5,
        export_timeout_hours=6.0,
        run_retries=0,
        run_retry_minutes=0.0,
        keep_runs=9,
        notify_webhook=Secret("https://hooks.example/T0/B0"),
        notify_mail_to=("ann@example.com", "bob@example.com"),
        notify_mail_from="export@example.com",
        smtp_url=Secret("smtps://ann:word@mail.example:465"),
        full_export_hours=12.0,
        export_comments=True,
        export_task_details=True,
        export_goals=True,
        reread_days=1.5,
        working_days=(0, 1, 2, 3, 6),
        working_hours=((time(8), time(12)), (time(13, 30), time(0))),
        holidays=frozenset({date(2026, 12, 25), date(2027, 1, 1)}),
        time_zone="Europe/Berlin",
        cycle_start=("status:Doing", "list:App/type:open"),
        cycle_end=("status:ready",),
        waiting_statuses=("review", "hold"),
        blocked_statuses=("stuck",),
        stale_days=30.0,
        password_hash=Secret(HASH),
        api_token_in_query=True,
        metrics_open=True,
        trusted_proxies=("127.0.0.1", "10.0.0.0/8"),
        host="0.0.0.0",
        port=8080,
    )


def test_concurrency_may_be_left_to_the_toolkit() -> None:
    """``auto`` is kept as None: no fixed number."""
    assert Settings.read({"CONCURRENCY": "auto"}).concurrency is None


def test_the_data_folder_is_absolute_from_the_start(tmp_path: Path) -> None:
    """A relative folder and ``~`` are resolved when they are read, not where they are used."""
    assert Settings.read({"CLICKUP_DATA_DIR": "exports"}).data_dir == Path.cwd() / "exports"
    assert Settings.read({"CLICKUP_DATA_DIR": "~/exports"}).data_dir == Path.home() / "exports"


@pytest.mark.parametrize("around", ["{}\n", " {} ", "{}\r\n", "\t{}"])
def test_blanks_around_a_value_are_not_part_of_it(around: str) -> None:
    """A trailing newline, as secret files have it, does not become part of the token."""
    environ = {name: around.format(value) for name, value in GOOD.items()}
    assert Settings.read(environ, need=REQUIRED) == Settings.read(GOOD)


@pytest.mark.parametrize("empty", ["", "  ", "\n"])
def test_an_empty_variable_counts_as_unset(empty: str) -> None:
    """An empty value means the default, as in a file whose lines were left blank."""
    environ = {setting.variable: empty for setting in SETTINGS.values()}
    assert Settings.read(environ) == Settings()


MISSING = {
    "token": "CLICKUP_TOKEN is not set: API token: personal (`pk_…`, sent bare) or OAuth (sent as Bearer). "
    + TOKEN_REMEDY,
    "team_id": "CLICKUP_TEAM_ID is not set: workspace id. " + TEAM_REMEDY,
    "api_auth_token": "API_AUTH_TOKEN is not set: bearer token for the JSON export. " + BEARER_REMEDY,
}


@pytest.mark.parametrize("name", sorted(REQUIRED))
def test_a_missing_setting_is_named_with_its_remedy(name: str) -> None:
    """What a command needs and does not find is said with where to get it."""
    assert refusal({}, name) == MISSING[name]


def test_only_what_a_command_needs_must_be_set() -> None:
    """A command that asks for nothing runs without any required setting."""
    assert Settings.read({"PORT": "0"}, need=()).port == 0


WRONG = [
    ("CLICKUP_TOKEN", "pk_1 2", f"must not contain blanks or line breaks. {TOKEN_REMEDY}"),
    (
        "CLICKUP_TEAM_ID",
        "acme",
        f"must be a number, the one in your ClickUp addresses (it is 'acme'). {TEAM_REMEDY}",
    ),
    (
        "CLICKUP_TEAM_ID",
        "9²",
        f"must be a number, the one in your ClickUp addresses (it is '9²'). {TEAM_REMEDY}",
    ),
    (
        "CLICKUP_TOKEN",
        "pk_183034_K7Q2…",
        "has characters that no token has, such as a dash or dots put in by a text editor. " + TOKEN_REMEDY,
    ),
    (
        "API_AUTH_TOKEN",
        "sesame, sésame",
        "has characters that no token has, such as a dash or dots put in by a text editor. " + BEARER_REMEDY,
    ),
    ("CONCURRENCY", "many", "must be a whole number (it is 'many')."),
    ("CONCURRENCY", "0", "must be 1 or more (it is '0')."),
    ("CONCURRENCY", "513", "must be 512 or less, or auto (it is '513')."),
    ("MAX_RETRIES", "2.5", "must be a whole number (it is '2.5')."),
    ("MAX_RETRIES", "-1", "must be 1 or more (it is '-1')."),
    ("INITIAL_BACKOFF", "soon", "must be a number (it is 'soon')."),
    ("INITIAL_BACKOFF", "0", "must be more than 0 (it is '0')."),
    ("INITIAL_BACKOFF", "nan", "must be more than 0 (it is 'nan')."),
    ("REDIS_LOCK_TTL", "0", "must be 1 or more (it is '0')."),
    ("KEEP_LAST_N_EXPORTS", "0", "must be 1 or more (it is '0')."),
    ("KEEP_DAILY_EXPORTS", "-1", "must be 0 or more (it is '-1')."),
    (
        "CLICKUP_API_URL",
        "api.clickup.com",
        "must be an address that starts with https:// or http:// (it is 'api.clickup.com').",
    ),
    (
        "CLICKUP_API_URL",
        "https://",
        "must be an address that starts with https:// or http:// (it is 'https://').",
    ),
    (
        "REDIS_URL",
        "localhost:6379",
        "must be an address that starts with redis:// or rediss:// or unix:// (it is 'localhost:6379'). "
        + REDIS_REMEDY,
    ),
    (
        "DATASETTE_PASSWORD_HASH",
        "correct horse",
        "must be a hash that `clickup-toolkit hash-password` printed. "
        "Make one: clickup-toolkit hash-password",
    ),
    (
        "DATASETTE_USERNAME",
        "a:b",
        "must be a name without a colon, and not `token`, which programs go by (it is 'a:b').",
    ),
    ("EXPORT_INTERVAL_HOURS", "inf", "must be more than 0 (it is 'inf')."),
    ("EXPORT_JITTER_MINUTES", "-1", "must be more than 0 (it is '-1')."),
    ("RUN_RETRIES", "-1", "must be 0 or more (it is '-1')."),
    ("NOTIFY_WEBHOOK", "hooks.example/T0", "must be an address that starts with https:// or http:/" + "/."),
    ("NOTIFY_MAIL_TO", "ann", "must be mail addresses, apart by commas (it is 'ann')."),
    ("NOTIFY_MAIL_FROM", "a@b c@d", "must be one mail address."),
    ("EXPORT_TIMEOUT_HOURS", "0", "must be more than 0 (it is '0')."),
    ("RUN_RETRY_MINUTES", "soon", "must be a number (it is 'soon')."),
    ("KEEP_RUNS", "0", "must be 1 or more (it is '0')."),
    ("WORKING_DAYS", "mon-fry", "must be weekdays, such as mon-fri or mon, wed, fri (it is 'mon-fry')."),
    ("WORKING_HOURS", "9-17", "must be spans of the day, such as 09:00-12:30, 13:30-18:00 (it is '9-17')."),
    (
        "WORKING_HOURS",
        "17:00-09:00",
        "must be spans that end after they begin, such as 09:00-17:00 (it is '17:00-09:00').",
    ),
    (
        "WORKING_HOURS",
        "09:00-12:00, 11:00-13:00",
        "must be spans that do not overlap (it is '09:00-12:00, 11:00-13:00').",
    ),
    ("HOLIDAYS", "25.12.2026", "must be dates, such as 2026-12-25, 2027-01-01 (it is '25.12.2026')."),
    ("TIME_ZONE", "Berlin", "must be a time zone such as Europe/Berlin (it is 'Berlin')."),
    (
        "CYCLE_START",
        "doing",
        "must be type:<type>, status:<name> or list:<list>/status:<name>, apart by commas (it is 'doing').",
    ),
    (
        "CYCLE_END",
        "list:App",
        "must be type:<type>, status:<name> or list:<list>/status:<name>, apart by commas "
        "(it is 'list:App').",
    ),
    ("STALE_DAYS", "0", "must be more than 0 (it is '0')."),
    (
        "SMTP_URL",
        "mail.example:25",
        "must read smtp://user:password@host:587, or smtps://… for TLS from the start.",
    ),
    ("FULL_EXPORT_HOURS", "daily", "must be a number (it is 'daily')."),
    ("EXPORT_COMMENTS", "yes", "must be true or false (it is 'yes')."),
    ("EXPORT_TASK_DETAILS", "1", "must be true or false (it is '1')."),
    ("EXPORT_GOALS", "on", "must be true or false (it is 'on')."),
    ("EXPORT_DOCS", "all", "must be true or false (it is 'all')."),
    ("REREAD_DAYS", "0", "must be more than 0 (it is '0')."),
    ("API_TOKEN_IN_QUERY", "1", "must be true or false (it is '1')."),
    ("METRICS_OPEN", "yes", "must be true or false (it is 'yes')."),
    (
        "TRUSTED_PROXIES",
        "127.0.0.1 proxy",
        "must be addresses or networks, as 127.0.0.1 or 10.0.0.0/8 (it is '127.0.0.1 proxy'). "
        "A proxy on this machine is 127.0.0.1.",
    ),
    ("PORT", "http", "must be a whole number (it is 'http')."),
    ("PORT", "65536", "must be 65535 or less (it is '65536')."),
]


@pytest.mark.parametrize(("variable", "value", "complaint"), WRONG)
def test_a_wrong_value_is_said_with_the_rule_it_breaks(variable: str, value: str, complaint: str) -> None:
    """Each reader refuses what it cannot use, and says what it expects."""
    assert refusal({variable: value}) == f"{variable} {complaint}"


def test_every_reader_that_can_refuse_is_tried() -> None:
    """Only a folder and a host take any text; every other variable has a refusal above."""
    tried = {variable for variable, _, _ in WRONG}
    assert {setting.variable for setting in SETTINGS.values()} - tried == {
        *("CLICKUP_DATA_DIR", "HOST", "WAITING_STATUSES", "BLOCKED_STATUSES")
    }


def test_everything_wrong_is_said_at_once() -> None:
    """One message names all that is missing or wrong, a line each, in the order of the documentation."""
    environ = {"CLICKUP_TEAM_ID": "acme", "CONCURRENCY": "0", "PORT": "http"}
    assert refusal(environ, "token", "team_id", "api_auth_token").splitlines() == [
        MISSING["token"],
        f"CLICKUP_TEAM_ID must be a number, the one in your ClickUp addresses (it is 'acme'). {TEAM_REMEDY}",
        MISSING["api_auth_token"],
        "CONCURRENCY must be 1 or more (it is '0').",
        "PORT must be a whole number (it is 'http').",
    ]


def test_wrong_settings_end_a_command_with_its_own_exit_code() -> None:
    """2 tells wrong usage from a failed export."""
    assert SettingsError("").exit_code == 2


def test_a_secret_shows_itself_only_when_asked() -> None:
    """Neither repr, str, format nor an error from json holds the secret."""
    secret = Secret(TOKEN)
    shown = [
        repr(secret),
        str(secret),
        f"{secret}",
        f"{secret!r:>30}",
        repr({"token": secret}),
    ]
    with pytest.raises(TypeError) as caught:
        json.dumps({"token": secret})
    shown.append(str(caught.value))
    assert [text for text in shown if TOKEN in text] == []
    assert shown[0] == "Secret('***')"
    assert secret.reveal() == TOKEN


def test_secrets_compare_by_what_they_hold() -> None:
    """Two secrets are equal when their texts are; a secret never equals its bare text."""
    assert Secret("a") == Secret("a")
    assert hash(Secret("a")) == hash(Secret("a"))
    assert Secret("a") != Secret("b")
    assert Secret("a") != "a"
    assert [bool(Secret("")), bool(Secret("a"))] == [False, True]


def test_settings_travel_to_another_process_whole() -> None:
    """Settings can be pickled, and come back equal."""
    settings = Settings.read(GOOD)
    assert pickle.loads(pickle.dumps(settings)) == settings


def test_the_settings_repr_shows_no_secret() -> None:
    """A logged settings object holds no token, and no password that an address may carry."""
    settings = Settings.read(
        GOOD
        | {
            "DATASETTE_PASSWORD_HASH": HASH,
            "REDIS_URL": "redis://:hunter2@localhost:6379/0",
            "CLICKUP_API_URL": "http://me:hunter2@proxy.test",
        }
    )
    assert [secret for secret in (TOKEN, "open-sesame", HASH, "hunter2") if secret in repr(settings)] == []


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("CLICKUP_TOKEN", f"{TOKEN} x"),
        ("CLICKUP_TEAM_ID", TOKEN),
        ("PORT", "vGz0-43-characters-as-token_urlsafe-makes-x"),
        ("REDIS_URL", "http://:hunter2@localhost"),
        ("CLICKUP_API_URL", "ftp://me:hunter2@proxy.test"),
    ],
)
def test_a_refusal_shows_no_secret(variable: str, value: str) -> None:
    """A token in the wrong variable, or a password in an address, is not repeated, in no traceback either."""
    with pytest.raises(SettingsError) as caught:
        Settings.read({variable: value})
    shown = "".join(traceback.format_exception(caught.value))
    assert variable in shown
    assert [part for part in (value, TOKEN, "hunter2") if part in shown] == []


SHOW = """
from clickup_toolkit.settings import Settings
from clickup_toolkit.settings.earlier import translated
settings = Settings.read()
print(settings.team_id, settings.port, settings.token.reveal() if settings.token else None)
"""


def seen_in(folder: Path, **environ: str) -> str:
    """Return what a process started in ``folder`` with this environment reads."""
    process = subprocess.run(
        [sys.executable, "-c", SHOW], cwd=folder, env=environ, capture_output=True, text=True, check=True
    )
    return process.stdout.strip()


def test_the_environment_wins_over_the_file(tmp_path: Path) -> None:
    """A ``.env`` in the working folder is read; a variable of the process goes before its line."""
    (tmp_path / ".env").write_text("CLICKUP_TEAM_ID=1\nPORT=1111\nCLICKUP_TOKEN='pk_file'\n")
    assert seen_in(tmp_path) == "1 1111 pk_file"
    assert seen_in(tmp_path, PORT="2222", CLICKUP_TOKEN="pk_env\n") == "1 2222 pk_env"


def test_a_file_from_another_system_is_read_all_the_same(tmp_path: Path) -> None:
    """A byte order mark, Windows line ends, comments and ``export`` do no harm."""
    (tmp_path / ".env").write_bytes(
        b'\xef\xbb\xbfCLICKUP_TEAM_ID=7\r\n# note\r\nexport PORT=3333 # note\r\nCLICKUP_TOKEN="pk_1"\r\n'
    )
    assert seen_in(tmp_path) == "7 3333 pk_1"


@pytest.mark.parametrize("text", [b"CLICKUP_TOKEN=pk_1 # caf\xe9\n", "PORT=8000\n".encode("utf-16")])
def test_a_file_in_another_encoding_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: bytes
) -> None:
    """A ``.env`` that is not UTF-8 is refused by its name; nothing of what stands in it is shown."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / ".env").write_bytes(text)
    with pytest.raises(SettingsError) as refused:
        Settings.read()
    assert (refused.value.message, refused.value.remedy) == (
        f"{tmp_path / '.env'} is not text in UTF-8.",
        "Save it in UTF-8, without the characters that are not.",
    )
    assert refused.value.__suppress_context__


def test_without_a_file_the_environment_is_enough(tmp_path: Path) -> None:
    """No ``.env``, no complaint."""
    assert seen_in(tmp_path, CLICKUP_TEAM_ID="5") == "5 8000 None"


def test_the_example_file_is_the_defaults() -> None:
    """``.env.example`` names every setting in order with its default; copied as it is, it sets nothing."""
    lines = (Path(__file__).parent.parent / ".env.example").read_text().splitlines()
    assigned = [line.removeprefix("#") for line in lines if "=" in line and " " not in line.split("=")[0]]
    assert assigned == [f"{setting.variable}={setting.default or ''}" for setting in SETTINGS.values()]
    required = {SETTINGS[name].variable for name in REQUIRED}
    assert {line.rstrip("=") for line in lines if line and not line.startswith("#")} == required


def test_the_variables_of_the_earlier_service_are_taken() -> None:
    """DJANGO_PORT, FLOWER_USERNAME and FLOWER_PASSWORD stand in for their successors, always alike."""
    earlier = GOOD | {"DJANGO_PORT": "8123", "FLOWER_USERNAME": "boss", "FLOWER_PASSWORD": "open it"}
    settings = Settings.read(earlier)
    assert (settings.port, settings.username) == (8123, "boss")
    assert settings.password_hash
    assert verify_password("open it", settings.password_hash.reveal())
    assert settings == Settings.read(earlier)
    _, notes = translated(earlier)
    assert notes == [
        "DJANGO_PORT is an old name: call it PORT.",
        "FLOWER_USERNAME is an old name: call it DATASETTE_USERNAME.",
        "FLOWER_PASSWORD is an old name: it opens the pages, but set DATASETTE_PASSWORD_HASH "
        "(clickup-toolkit init makes it) and take the password out.",
    ]
    assert "open it" not in "".join(notes)


def test_a_variable_that_is_set_wins_over_its_old_name() -> None:
    """With the successors set, what the earlier service left in the file changes nothing and is not told."""
    now = GOOD | {"PORT": "9000", "DATASETTE_USERNAME": "me", "DATASETTE_PASSWORD_HASH": HASH}
    old = {"DJANGO_PORT": "1", "FLOWER_USERNAME": "y", "FLOWER_PASSWORD": "x"}
    assert translated(now | old)[1] == []
    assert Settings.read(now | old) == Settings.read(now)
