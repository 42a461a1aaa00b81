import json
import os
import shutil
import signal
import socket
import stat
import tempfile
import time
from pathlib import Path

import psutil
import psycopg
import pytest

from schemas.errors import PermanentError, Reason
from services.embedded import child, cluster, privileges
from services.embedded.postgres import Postgres

START_AND_SLEEP = """
import pathlib, time
from services.embedded.postgres import Postgres
postgres = Postgres(pathlib.Path(sys.argv[1]))
postgres.start()
print(postgres.process.pid, postgres.url, flush=True)
time.sleep(60)
"""


@pytest.fixture
def warm(made, home):
    """A server over a copy of `made`."""
    shutil.copytree(made, home)
    server = Postgres(home)
    yield server
    server.stop()


def test_a_second_start_keeps_rows_password_and_port(warm, rows):
    warm.start()
    url = warm.url
    assert rows(url, add=5) == 5
    assert warm.running()
    warm.stop()
    assert not warm.running()

    again = Postgres(warm.home)
    again.start()
    try:
        assert again.url == url
        assert rows(url) == 5
    finally:
        again.stop()


def test_another_port_when_the_old_one_is_taken(warm, rows):
    warm.start()
    old = warm.url
    warm.stop()
    port = int(old.rpartition(":")[2].partition("/")[0])
    with socket.socket() as squatter:
        squatter.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        squatter.bind(("127.0.0.1", port))
        squatter.listen()
        again = Postgres(warm.home)
        again.start()
        assert again.url != old
        assert rows(again.url) == 0
        again.stop()
        with pytest.raises(PermanentError, match=f"Port {port} is taken") as failure:
            Postgres(warm.home, port).start()
        assert failure.value.reason is Reason.BAD_CONFIG


def test_committed_rows_survive_kill_9_and_an_instant_restart(warm, rows):
    warm.start()
    url = warm.url
    assert rows(url, add=100) == 100
    held = psycopg.connect(url)  # a backend that is slow to leave
    os.kill(warm.process.pid, signal.SIGKILL)
    warm.process.wait()
    warm.start()
    assert warm.url == url
    assert rows(url) == 100
    held.close()


def test_kill_9_of_the_parent_ends_the_server_and_the_next_start_works(made, home, script, rows, family):
    shutil.copytree(made, home)
    parent = script(START_AND_SLEEP, home)
    pid, url = parent.stdout.readline().split()
    assert rows(url, add=20) == 20
    processes = family(int(pid))
    parent.kill()
    server = Postgres(home)  # at once, while the old one shuts down
    server.start()
    try:
        assert rows(server.url) == 20
        assert server.url == url
    finally:
        server.stop()
    assert psutil.wait_procs(processes, timeout=5)[1] == []


def test_kill_9_of_the_parent_ends_the_server_by_itself(made, home, script, family):
    shutil.copytree(made, home)
    parent = script(START_AND_SLEEP, home)
    processes = family(int(parent.stdout.readline().split()[0]))
    parent.kill()
    assert psutil.wait_procs(processes, timeout=5)[1] == []
    assert "database system is shut down" in (home / "logs" / "postgres.log").read_text()


def test_a_stale_pid_file_that_names_a_living_stranger(warm, rows):
    warm.start()
    rows(warm.url, add=3)
    os.kill(warm.process.pid, signal.SIGKILL)
    warm.process.wait()
    pid_file = warm.data / "postmaster.pid"
    _, _, rest = pid_file.read_text().partition("\n")
    pid_file.write_text(f"{os.getppid()}\n{rest}")
    warm.start()
    assert rows(warm.url) == 3


def test_two_servers_never_share_a_home(warm, monkeypatch):
    monkeypatch.setattr("services.embedded.postgres.HANDOVER_SECONDS", 0.3)
    warm.start()
    with pytest.raises(PermanentError, match=r"postmaster\.pid") as failure:
        Postgres(warm.home).start()
    assert failure.value.reason is Reason.DATABASE_UNAVAILABLE
    assert warm.running()


def test_a_wrong_password_is_refused_and_secrets_are_private(warm):
    warm.start()
    secret = cluster.password(warm.data)
    with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
        psycopg.connect(warm.url.replace(secret, "wrong"))
    assert stat.S_IMODE((warm.data / "framewatch.password").stat().st_mode) == 0o600
    assert stat.S_IMODE(warm.home.stat().st_mode) == 0o700
    process = psutil.Process(warm.process.pid)
    assert not any(secret in word for word in (*process.cmdline(), *process.environ().values()))
    assert [c.laddr.ip for c in process.net_connections() if c.status == "LISTEN"] == ["127.0.0.1"]


def test_a_lost_password_says_so(warm):
    (warm.data / "framewatch.password").write_text("other")
    with pytest.raises(PermanentError, match="The password in"):
        warm.start()


def test_a_dropped_database_is_made_again(warm, rows):
    warm.start()
    with psycopg.connect(warm.url.replace("/framewatch?", "/postgres?"), autocommit=True) as connection:
        connection.execute("DROP DATABASE framewatch")
    warm.stop()
    warm.start()
    assert rows(warm.url) == 0


def test_a_first_start_interrupted_before_below_an_odd_path(tmp_path, rows):
    """The path has spaces, letters of three scripts and more bytes than a socket's name may have."""
    home = tmp_path / "naïve 家 домой" / ("long " * 30).strip()
    assert len(os.fsencode(home)) > 160
    (home / "postgres.init" / "base").mkdir(parents=True)
    server = Postgres(home)
    server.start()
    try:
        assert rows(server.url, add=1) == 1
        assert sorted(p.name for p in home.iterdir()) == ["logs", "postgres", "postgres.port"]
    finally:
        server.stop()


def test_a_folder_of_another_version_or_purpose_is_left_alone(home):
    data = home / "postgres"
    data.mkdir(parents=True)
    (data / "letters.txt").write_text("dear")
    with pytest.raises(PermanentError, match="not a PostgreSQL data folder"):
        Postgres(home).start()
    (data / "PG_VERSION").write_text("12\n")
    with pytest.raises(PermanentError, match="made by PostgreSQL 12"):
        Postgres(home).start()
    assert (data / "letters.txt").read_text() == "dear"


def test_a_server_that_cannot_start_shows_the_end_of_its_log(warm):
    (warm.data / "postgresql.conf").write_text("no_such_setting = 1\n")
    began = time.monotonic()
    with pytest.raises(PermanentError, match="no_such_setting"):
        warm.start()
    assert time.monotonic() - began < 5


def test_no_url_before_the_first_start(home):
    with pytest.raises(PermanentError, match="framewatch up"):
        _ = Postgres(home).url


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become somebody else")
class TestAsRoot:
    @pytest.mark.parametrize("private", [False, True])
    def test_where_namespaces_are_refused_it_runs_as_nobody(self, made, private, rows, monkeypatch, request):
        folder = Path(tempfile.mkdtemp())
        request.addfinalizer(lambda: shutil.rmtree(folder))
        home = shutil.copytree(made, folder / "home")
        for place in (folder, home):
            place.chmod(0o700 if private else 0o755)
        nobody = [privileges.Identity(m, child.NOBODY) for m in (child.NOBODY_PLAIN, child.NOBODY_REACHING)]
        monkeypatch.setattr(privileges, "_candidates", lambda uid: nobody)
        server = Postgres(home)
        modes = [place.stat().st_mode for place in (home, *home.parents)]
        server.start()
        try:
            process = psutil.Process(server.process.pid)
            assert process.uids().effective == child.NOBODY
            capabilities = Path(f"/proc/{process.pid}/status").read_text().partition("CapEff:")[2].split()[0]
            if private:
                assert int(capabilities, 16) == 1 << 1  # to pass the folders, and nothing else
            assert rows(server.url, add=2) == 2
        finally:
            server.stop()
        assert [place.stat().st_mode for place in (home, *home.parents)] == modes
        monkeypatch.undo()
        server.start()  # and back again, with the files given back
        try:
            assert rows(server.url) == 2
        finally:
            server.stop()

    def test_an_ordinary_user(self, tmp_path, script):
        tmp_path.chmod(0o700)
        os.chown(tmp_path, child.NOBODY, child.NOBODY)
        text = """
import json, os, pathlib, psutil
from services.embedded.postgres import Postgres
from services.embedded.redis import Redis
postgres, redis = Postgres(pathlib.Path(sys.argv[1])), Redis(pathlib.Path(sys.argv[1]))
postgres.start(), redis.start()
print(json.dumps([os.geteuid(), *(psutil.Process(s.process.pid).uids().effective for s in (postgres, redis))]))
postgres.stop(), redis.stop()
"""

        def as_user(argv):
            return child.command(argv, death=signal.SIGKILL, mode=child.NOBODY_REACHING)

        ran = script(text, tmp_path / "home", wrap=as_user)
        assert json.loads(ran.stdout.read()) == [child.NOBODY] * 3

    def test_when_nobody_may_the_error_lists_what_was_tried(self, home, monkeypatch):
        identity = privileges.Identity("unheard-of", 0)
        monkeypatch.setattr(privileges, "_candidates", lambda uid: [identity, identity])
        with pytest.raises(PermanentError, match=r"as unheard-of: unknown mode(.|\n)*FRAMEWATCH_DATABASE_URL"):
            Postgres(home).start()
