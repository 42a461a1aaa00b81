"""The only reader of the environment: FRAMEWATCH_* names become one frozen Settings; a typo refuses to start."""

import os
from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path

from schemas.errors import PermanentError, Reason

PREFIX = "FRAMEWATCH_"


@dataclass(frozen=True, slots=True)
class Settings:
    """Everything an operator can set; each field is FRAMEWATCH_<NAME>, or FRAMEWATCH_<NAME>_FILE to read a file."""

    home: str = ""
    """Folder for data, models and logs; empty means the user's data folder."""
    database_url: str = ""
    """postgresql://…; empty means the embedded server that `framewatch up` starts."""
    redis_url: str = ""
    """redis://…; empty means the embedded server that `framewatch up` starts."""
    model: str = ""
    """Encoder: a local folder or a hub id; empty means the bundled multilingual-e5-small."""
    device: str = ""
    """Where the encoder runs: `cpu`, `cuda` (needs the extra `torch`) or, when empty, the CPU if the model suits it."""
    author_key: str = ""
    """Secret that turns author names into pseudonyms; `framewatch up` makes one and keeps it in HOME."""
    api_host: str = "127.0.0.1"
    """Address the API and console listen on."""
    api_port: int = 8787
    """Port of the API and console; `framewatch up` takes a free one when it is taken."""
    api_token: str = ""
    """Bearer token for the API; empty means open, which is refused on any but a loopback address."""
    api_rate: int = 1200
    """Requests a minute that each token of the API may make; 0 sets no limit. An open API has none."""
    exporter_host: str = "127.0.0.1"
    """Address the Prometheus exporter listens on."""
    exporter_port: int = 9787
    """Port of the Prometheus exporter."""
    allow_networks: str = ""
    """Private addresses feeds and webhooks may reach, e.g. `10.1.0.0/16,192.168.1.5:8080`; empty allows none."""
    proxy: str = ""
    """Proxy for all that goes out but the private addresses allowed, e.g. `http://proxy.example.org:3128`."""
    files: str = ""
    """Folder that file feeds (jsonl) may read from; empty means HOME/files."""
    contact: str = ""
    """Address or page named in the User-Agent, so that a site can reach the operator."""
    public_url: str = ""
    """Address of the console as readers see it, for links in alerts and digests."""
    consent: str = "strict"
    """`strict`: of Mastodon only accounts that let themselves be indexed; `normal`: all but those who object."""
    mastodon_tokens: str = ""
    """Access tokens by server, `mastodon.social=TOKEN,other.host=TOKEN`, where one is needed to read."""
    reddit_client_id: str = ""
    """Id of your Reddit app; without it web feeds are read."""
    reddit_client_secret: str = ""
    """Secret of your Reddit app."""
    x_token: str = ""
    """Bearer token of your X app."""
    x_monthly_reads: int = 0
    """Posts of X a month that you will pay for; 0 reads none."""
    youtube_key: str = ""
    """Key of the YouTube Data API, for comments."""
    youtube_daily_units: int = 10_000
    """Units of the YouTube Data API a day that may be spent."""
    telegram_api_id: str = ""
    """Id of your Telegram app, where the public preview is not enough (needs the extra `telegram`)."""
    telegram_api_hash: str = ""
    """Hash of your Telegram app."""
    telegram_session: str = ""
    """Session string of the Telegram account to read with."""
    stance: str = "off"
    """`on` tells of each post and frame whether the post promotes, disputes or reports it (experimental); or `off`."""
    budget: float = 1.0
    """False alarms a week the team accepts, over all frames together."""
    learning_days: float = 7.0
    """Days of heard history a frame needs before it can alert."""
    keep_versions: int = 5
    """Versions of a codebook, of those replaced, whose scores are kept; a rollback to an older one scores again."""
    host_gap_seconds: float = 1.0
    """Seconds between two fetches from one host, over all workers."""
    lease_seconds: float = 60.0
    """How long a worker may hold rows before others take them over."""
    threads: int = 0
    """Threads of the encoder; 0 means every core this process may use."""
    log_level: str = "INFO"
    """DEBUG, INFO, WARNING or ERROR."""


def load(environ: Mapping[str, str] | None = None) -> Settings:
    """Read Settings from `environ` (default: the process's own).

    Raises PermanentError(BAD_CONFIG) naming the variable for an unknown name, an unreadable file or a
    value of the wrong form.
    """
    environ = os.environ if environ is None else environ  # noqa: TID251 - the one place
    known = {f.name: type(f.default) for f in fields(Settings)}
    values: dict[str, str | int | float] = {}
    for name in sorted(n for n in environ if n.startswith(PREFIX)):
        key = name.removeprefix(PREFIX).lower()
        text = environ[name]
        if key not in known and key.endswith("_file"):
            key, text = key.removesuffix("_file"), _read(name, text)
        if key not in known:
            raise PermanentError(Reason.BAD_CONFIG, f"{name} is not a setting; known are: {_names(known)}")
        values[key] = _convert(name, text, known[key])
    return Settings(**values)  # type: ignore[arg-type]


def home_of(settings: Settings) -> Path:
    """The home folder as an absolute path (not created)."""
    if settings.home:
        return Path(settings.home).expanduser().absolute()
    base = os.environ.get("XDG_DATA_HOME") or "~/.local/share"  # noqa: TID251 - the one place
    return Path(base).expanduser() / "framewatch"


def files_of(settings: Settings) -> Path:
    """The only folder that file feeds may read."""
    return Path(settings.files) if settings.files else home_of(settings) / "files"


def database_url(settings: Settings) -> str:
    """The database to use. Raises PermanentError(BAD_CONFIG) when none is named."""
    if not settings.database_url:
        raise PermanentError(
            Reason.BAD_CONFIG,
            "no database: start everything with `framewatch up`, or set FRAMEWATCH_DATABASE_URL to a Postgres",
        )
    return settings.database_url


def author_key(settings: Settings) -> bytes:
    """The secret for pseudonyms. Raises PermanentError(BAD_CONFIG) when there is none: no author goes unmasked."""
    if len(settings.author_key) < 16:
        raise PermanentError(
            Reason.BAD_CONFIG,
            "no secret for author pseudonyms: set FRAMEWATCH_AUTHOR_KEY (or _FILE) to 16 characters or more",
        )
    return settings.author_key.encode()


def stance_on(settings: Settings) -> bool:
    """Whether stance is read. Raises PermanentError(BAD_CONFIG) for neither `on` nor `off`."""
    if settings.stance not in ("on", "off"):
        raise PermanentError(Reason.BAD_CONFIG, f"FRAMEWATCH_STANCE must be `on` or `off`, not {settings.stance!r}")
    return settings.stance == "on"


SOURCE_KEYS = (
    "consent", "mastodon_tokens", "reddit_client_id", "reddit_client_secret", "x_token", "x_monthly_reads",
    "youtube_key", "youtube_daily_units", "telegram_api_id", "telegram_api_hash", "telegram_session",
)  # fmt: skip
"""Settings that sources are given: credentials, budgets and policies, by name."""


def source_keys(settings: Settings) -> dict[str, str]:
    """What sources may know of the settings; without what is not set."""
    return {name: value for name in SOURCE_KEYS if (value := str(getattr(settings, name)))}


def environment(settings: Settings) -> dict[str, str]:
    """Our own environment with `settings` written into it, for a child process to load again."""
    env = {k: v for k, v in os.environ.items() if not k.startswith(PREFIX)}  # noqa: TID251 - the one place
    env |= {f"{PREFIX}{f.name.upper()}": str(getattr(settings, f.name)) for f in fields(Settings)}
    return env


def _read(name: str, path: str) -> str:
    try:
        return Path(path).read_text(encoding="utf-8").strip()
    except OSError as error:
        raise PermanentError(Reason.BAD_CONFIG, f"{name}: cannot read {path}: {error.strerror}") from error


def _convert(name: str, text: str, kind: type) -> str | int | float:
    try:
        value: str | int | float = kind(text.strip())
    except ValueError as error:
        wanted = {int: "a whole number", float: "a number"}[kind]
        raise PermanentError(Reason.BAD_CONFIG, f"{name} must be {wanted}, not {text!r}") from error
    return value


def _names(known: Mapping[str, type]) -> str:
    return ", ".join(PREFIX + key.upper() for key in sorted(known))
