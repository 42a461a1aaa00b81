"""Composition root of the web process: settings, one store, API and console in one ASGI app. Decides nothing else."""

import ipaddress
import logging
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from urllib.parse import urlsplit

import uvicorn
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.gzip import GZipMiddleware
from starlette.responses import PlainTextResponse
from starlette.routing import Mount
from starlette.types import ASGIApp, Receive, Scope, Send

from schemas.errors import FramewatchError, PermanentError, Reason
from services import logs, settings
from services.analysis.alerting import Rule
from services.analysis.intake import Intake
from services.analysis.unsubscribing import reader_of
from services.api import create_api
from services.classifier import load_encoder
from services.classifier.resting import Resting
from services.console import create_console
from services.fetch import Fetcher
from services.settings import Settings
from services.sources import Means
from services.store.pool import Store

EX_CONFIG = 78
"""Exit status that tells a supervisor not to start this process again (sysexits.h)."""
POOL = 6
_PROBES = ("/healthz", "/readyz")
_OURS = ("/api/", "/websub/", "/leave/")


def create_app(conf: Settings | None = None, *, stopping: Callable[[], bool] = lambda: False) -> ASGIApp:
    """API and console over the database that the settings name; who listens is let go once `stopping`.

    Raises PermanentError(BAD_CONFIG) when they would stand open to other machines without a token.
    """
    conf = conf or settings.load()
    if not conf.api_token and not is_loopback(conf.api_host):
        told = f"FRAMEWATCH_API_HOST is {conf.api_host}, which others can reach: set FRAMEWATCH_API_TOKEN (or _FILE)"
        raise PermanentError(Reason.BAD_CONFIG, told)
    store = Store(settings.database_url(conf), size=POOL, name="framewatch serve", statement_timeout_s=30)
    model = Resting(lambda: load_encoder(conf.model, settings.home_of(conf) / "models", conf.threads, "cpu"))
    rule = Rule(budget=conf.budget, learning=timedelta(days=conf.learning_days))
    api = create_api(
        store, now=_now, intake=lambda: _intake(conf), token=conf.api_token, borrow=model, rule=rule,
        public_url=conf.public_url, rate=conf.api_rate, outside=lambda: _outside(conf), stopping=stopping,
        reader_of=lambda given: reader_of(settings.author_key(conf), given),
    )  # fmt: skip
    console = create_console(store, now=_now, token=conf.api_token, borrow=model, rule=rule)
    faces = by_path(api, console)
    if not conf.api_token:
        faces = KnownHosts(faces, public_url=conf.public_url)
    return _closing(faces, store.close, model.rest)


def by_path(api: ASGIApp, console: ASGIApp) -> ASGIApp:
    """What is asked of /api and the probes goes to the API, the rest to the console."""

    async def faces(scope: Scope, receive: Receive, send: Send) -> None:
        path = scope.get("path", "")
        ours = path in _PROBES or path == "/api" or path.startswith(_OURS)
        await (api if ours else console)(scope, receive, send)

    return faces


class KnownHosts:
    """Answers only under names of this machine: without a token, another site's name could be pointed at us."""

    def __init__(self, app: ASGIApp, *, public_url: str = "") -> None:
        self.app = app
        self.public = urlsplit(public_url).hostname or ""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let the request through, or answer 421."""
        if scope["type"] == "http" and not self.knows(dict(scope["headers"]).get(b"host", b"").decode("latin-1")):
            answer = PlainTextResponse(
                "Asked under a name that is not ours; set FRAMEWATCH_PUBLIC_URL or a token.", 421
            )
            await answer(scope, receive, send)
        else:
            await self.app(scope, receive, send)

    def knows(self, host: str) -> bool:
        """Whether a Host header names this machine."""
        try:
            name = urlsplit(f"//{host}").hostname or ""
        except ValueError:
            return False
        return is_loopback(name) or (bool(name) and name == self.public)


def is_loopback(host: str) -> bool:
    """Whether only this machine can reach a host."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")


def _closing(app: ASGIApp, *close: Callable[[], None]) -> ASGIApp:
    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        yield
        for each in close:
            each()

    squeeze = Middleware(GZipMiddleware, minimum_size=1024)
    return Starlette(routes=[Mount("/", app)], middleware=[squeeze], lifespan=lifespan)


def _intake(conf: Settings) -> Intake:
    # Loaded when first needed: most deployments are sent nothing, and the language model takes 60 MB.
    from services.sources.language import guess

    return Intake(settings.author_key(conf), guess)


def _outside(conf: Settings) -> Means:
    fetcher = Fetcher(allow_networks=conf.allow_networks, contact=conf.contact, proxy=conf.proxy)
    return Means(fetcher, settings.files_of(conf), keys=settings.source_keys(conf))


def _now() -> datetime:
    return datetime.now(UTC)


def main() -> None:
    """Serve until told to stop."""
    servers: list[uvicorn.Server] = []
    try:
        conf = settings.load()
        logs.set_up(conf.log_level)
        app = create_app(conf, stopping=lambda: any(s.should_exit for s in servers))
    except FramewatchError as error:
        logs.set_up("INFO")
        logging.getLogger("framewatch").critical("cannot_start", extra={"told": str(error)})
        sys.exit(EX_CONFIG)
    logging.getLogger("uvicorn").setLevel(logging.WARNING)
    logging.getLogger("framewatch").info("serve_listens", extra={"host": conf.api_host, "port": conf.api_port})
    config = uvicorn.Config(
        app, host=conf.api_host, port=conf.api_port, log_config=None, access_log=False, server_header=False,
        timeout_graceful_shutdown=5, ws="none",
    )  # fmt: skip
    servers.append(uvicorn.Server(config))
    servers[0].run()


if __name__ == "__main__":
    main()
