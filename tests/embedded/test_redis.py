import os
import shutil
import signal
import socket
import stat

import psutil
import pytest
import redis as client

from schemas.errors import PermanentError, Reason
from services.embedded.redis import Redis

START_AND_SLEEP = """
import pathlib, time
from services.embedded.redis import Redis
redis = Redis(pathlib.Path(sys.argv[1]))
redis.start()
print(redis.process.pid, redis.url, flush=True)
time.sleep(60)
"""


@pytest.fixture
def redis(home):
    server = Redis(home)
    yield server
    server.stop()


def push(url, count=0):
    """Push onto a list and return its length."""
    with client.Redis.from_url(url) as connection:
        for i in range(count):
            connection.lpush("list", i)
        return connection.llen("list")


def kill(server):
    os.kill(server.process.pid, signal.SIGKILL)
    server.process.wait()


def test_a_second_start_keeps_data_password_and_port(redis, home):
    redis.start()
    url = redis.url
    assert push(url, 10) == 10
    redis.stop()
    assert not redis.running()
    again = Redis(home)
    again.start()
    assert again.url == url
    assert push(url) == 10
    again.stop()


def test_kill_9_and_restart_keeps_data(redis):
    redis.start()
    assert push(redis.url, 500) == 500
    kill(redis)
    redis.start()
    assert push(redis.url) == 500


def test_a_torn_tail_costs_one_entry(redis):
    redis.start()
    push(redis.url, 500)
    kill(redis)
    log = next(p for p in (redis.data / "appendonly.aof", *redis.data.glob("appendonlydir/*.incr.aof")) if p.exists())
    os.truncate(log, log.stat().st_size - 3)
    redis.start()
    assert push(redis.url) == 499


def test_an_unreadable_file_is_put_aside_and_it_starts_empty(redis):
    redis.start()
    push(redis.url, 500)
    kill(redis)
    log = next(p for p in (redis.data / "appendonly.aof", *redis.data.glob("appendonlydir/*.incr.aof")) if p.exists())
    log.write_bytes(b"rubbish\n" + log.read_bytes())
    redis.start()
    assert push(redis.url) == 0
    assert list(redis.data.glob("*.unreadable"))


def test_kill_9_of_the_parent_ends_the_server_and_the_next_start_works(redis, home, script, family):
    parent = script(START_AND_SLEEP, home)
    pid, url = parent.stdout.readline().split()
    push(url, 5)
    processes = family(int(pid))
    parent.kill()
    redis.start()  # at once, while the old one shuts down
    assert redis.url == url
    assert push(url) == 5
    assert psutil.wait_procs(processes, timeout=5)[1] == []


def test_a_wrong_password_is_refused_and_secrets_are_private(redis):
    redis.start()
    secret = redis.url.split(":")[2].partition("@")[0]
    with pytest.raises(client.AuthenticationError), client.Redis.from_url(redis.url.replace(secret, "no")) as wrong:
        wrong.ping()
    for name in ("password", "redis.conf"):
        assert stat.S_IMODE((redis.data / name).stat().st_mode) == 0o600
    process = psutil.Process(redis.process.pid)
    assert not any(secret in word for word in process.cmdline())
    assert [c.laddr.ip for c in process.net_connections() if c.status == "LISTEN"] == ["127.0.0.1"]


def test_two_servers_never_share_a_home(redis, home, monkeypatch):
    monkeypatch.setattr("services.embedded.redis.HANDOVER_SECONDS", 0.2)
    redis.start()
    with pytest.raises(PermanentError, match="Another Redis") as failure:
        Redis(home).start()
    assert failure.value.reason is Reason.BROKER_UNAVAILABLE


def test_a_port_that_is_taken(home):
    with socket.socket() as squatter:
        squatter.bind(("127.0.0.1", 0))
        squatter.listen()
        port = squatter.getsockname()[1]
        with pytest.raises(PermanentError, match=f"Port {port} is taken"):
            Redis(home, port).start()
        (home / "redis.port").write_text(str(port))
        server = Redis(home)
        server.start()
        assert f":{port}/" not in server.url
        server.stop()


def test_paths_with_spaces_unicode_and_great_length(tmp_path):
    server = Redis(tmp_path / "naïve 家 домой" / ("long " * 30).strip())
    server.start()
    assert push(server.url, 1) == 1
    server.stop()
    shutil.rmtree(server.home)


def test_no_url_before_the_first_start(home):
    with pytest.raises(PermanentError, match="framewatch up"):
        _ = Redis(home).url
