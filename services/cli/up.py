"""framewatch up: run everything on this machine until Ctrl-C, start again what dies, say where to look."""

import shlex
import shutil
import signal
import sys
import threading
from dataclasses import replace
from pathlib import Path
from typing import Any

import click

from schemas.errors import PermanentError, Reason
from services import logs, settings
from services.analysis.naming import many
from services.cli import calling, house
from services.cli.demo import Demo, rest
from services.cli.demo_mail import NAME, DemoMail
from services.embedded.postgres import Postgres
from services.embedded.redis import Redis
from services.embedded.supervisor import Supervisor
from services.embedded.ward import Program
from services.settings import Settings
from services.store.migrate import prepare
from services.store.pool import Store

LOOKS = (
    ("status", "what runs, how far behind, what moves"), ("alerts list", "what fired"),
    ("digest preview", "the mail somebody would read today"),
    ("verify", "proof that nothing was lost or counted twice"),
)  # fmt: skip
"""Commands to look around with, and what each tells."""
LEAST_DISK = 500 * 1024 * 1024


@click.command()
@click.option("--demo", is_flag=True, help="Load the bundled codebook and replay the sample posts of December 2016.")
def up(*, demo: bool) -> None:
    """Run everything on this machine. Ctrl-C stops it; the next start finds everything as it was left."""
    logs.set_up("WARNING")
    conf = settings.load()
    home = settings.home_of(conf)
    home.mkdir(parents=True, exist_ok=True, mode=0o700)
    _check_disk(home)
    done = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: done.set())
    with Supervisor(home, tell=lambda words: click.echo(words, err=True)) as supervisor:
        conf = start_servers(supervisor, conf, home)
        prepare(conf.database_url, house.now().date())
        store = Store(conf.database_url, size=2, name="framewatch up")
        show, mail = Demo(home, store) if demo else None, DemoMail(home, store)
        try:
            conf = mail.open(conf, make=demo)
            conf = show.open(conf) if show else conf
            left = 0 if show else rest(store)
            start_programs(supervisor, conf, home)
            _announce(conf, home, mail)
            show.introduce() if show else _tell_of_samples(mail, left)
            while not done.wait(0.5):
                supervisor.tend()
                if show:
                    show.tend()
        finally:
            click.echo("Stopping ...")
            supervisor.stop()
            if show:
                show.close()
            mail.close()
            store.close()
    click.echo("Stopped. Everything is kept in " + str(home))


def start_servers(supervisor: Supervisor, conf: Settings, home: Path) -> Settings:
    """Start the servers that no setting names; settings with their addresses and the home's secret."""
    if not conf.database_url:
        click.echo("Starting PostgreSQL ...")
        postgres = Postgres(home)
        supervisor.add("postgres", postgres)
        conf = replace(conf, database_url=postgres.url)
    if not conf.redis_url:
        click.echo("Starting Redis ...")
        redis = Redis(home)
        supervisor.add("redis", redis)
        conf = replace(conf, redis_url=redis.url)
    return replace(
        conf,
        home=str(home),
        author_key=conf.author_key or house.author_key(home),
        api_port=house.port(home, "api", conf.api_port),
        exporter_port=house.port(home, "exporter", conf.exporter_port),
    )


def start_programs(supervisor: Supervisor, conf: Settings, home: Path) -> None:
    """Start the workers, one for each kind of work, and beat, API with console, exporter."""
    if not conf.public_url:
        conf = replace(conf, public_url=f"http://{conf.api_host}:{conf.api_port}")
    env = settings.environment(conf) | {"PYTHONSAFEPATH": "1"}
    celery = [sys.executable, "-m", "celery", "--app", "workers.app"]
    quiet = ["--without-gossip", "--without-mingle", "--without-heartbeat"]
    kinds = {"network": ["--pool", "threads", "--concurrency", "3"], "model": ["--pool", "solo"],
             "light": ["--pool", "solo"], "long": ["--pool", "solo"]}  # fmt: skip
    for name, pool in kinds.items():
        argv = [*celery, "worker", *pool, "--queues", name, "--hostname", f"{name}@%h", *quiet]
        supervisor.add(f"worker-{name}", Program(argv=argv, env=env, cwd=home))
    beat = [*celery, "beat", "--scheduler", "celery.beat:Scheduler", "--pidfile", ""]
    supervisor.add("beat", Program(argv=beat, env=env, cwd=home))
    supervisor.add("api", Program(argv=[sys.executable, "-m", "services.serve"], env=env, cwd=home))
    supervisor.add("exporter", Program(argv=[sys.executable, "-m", "services.exporter"], env=env, cwd=home))
    supervisor.announce(
        {
            "console": conf.public_url,
            "api": f"http://{conf.api_host}:{conf.api_port}/api/v1",
            "metrics": f"http://{conf.exporter_host}:{conf.exporter_port}/metrics",
        }
    )


def _announce(conf: Settings, home: Path, mail: DemoMail) -> None:
    api = f"http://{conf.api_host}:{conf.api_port}"
    metrics = f"http://{conf.exporter_host}:{conf.exporter_port}/metrics"
    lines: list[tuple[str, Any]] = [
        ("Console", api),
        ("API", f"{api}/api/v1/frames   (documentation: {api}/api/v1/docs)"),
        ("Alerts", f"{api}/api/v1/alerts"),
        ("Metrics", metrics),
        ("Home", home),
    ]
    if mail.serves:
        lines.insert(4, ("Mail", mail.folder))
    click.echo("\nframewatch is up. Ctrl-C stops it.\n")
    for name, value in lines:
        click.echo(f"  {name:8} {value}")
    name = calling.called()
    click.echo("\nFrom another shell:\n" if name == calling.NAME else "\nFrom another shell, in this folder:\n")
    if home != settings.home_of(Settings()):
        click.echo(f"  export FRAMEWATCH_HOME={shlex.quote(str(home))}")
    for command, about in LOOKS:
        calling.say(f"  framewatch {command:15} {about}")
    activate = Path(sys.executable).with_name("activate")
    if name != calling.NAME and activate.exists():
        click.echo(f"\nAfter `. {calling.from_here(activate)}` in that shell, `{calling.NAME}` alone will do.")
    click.echo()
    sys.stdout.flush()


def _tell_of_samples(mail: DemoMail, left: int) -> None:
    """Say what of an earlier demonstration is still there, what it does now, and how to go on."""
    if mail.serves:
        calling.say(
            f"The demonstration's channel {NAME} keeps its mail in that folder and sends it to nobody. To be told\n"
            f"elsewhere: framewatch channels add ...; to be rid of it: framewatch channels remove {NAME}\n"
        )
    if left:
        calling.say(
            f"The sample posts were not replayed to their end; {many(left, 'feed')} of theirs paused. To go on with\n"
            "them: framewatch up --demo\n"
        )
    sys.stdout.flush()


def _check_disk(home: Path) -> None:
    free = shutil.disk_usage(home).free
    if free < LEAST_DISK:
        raise PermanentError(
            Reason.BAD_CONFIG,
            f"{home} has {free // 2**20} MB left and framewatch needs {LEAST_DISK // 2**20} MB:"
            " make room, or set FRAMEWATCH_HOME to a folder on another disk",
        )
