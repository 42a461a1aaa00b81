import json
import os
import shutil
import signal
import sys
import threading
import time
from itertools import pairwise

import psutil
import psycopg
import pytest

from schemas.errors import PermanentError, Reason
from services.embedded import files, runfile, supervisor, ward
from services.embedded.postgres import Postgres
from services.embedded.redis import Redis
from services.embedded.supervisor import Supervisor
from services.embedded.ward import Program

SLEEP = Program(argv=["sleep", "60"])
WITH_CHILD = "import subprocess, time; subprocess.Popen(['sleep', '61']); time.sleep(60)"
DEAF = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('deaf', flush=True); time.sleep(60)"
SUPERVISE_AND_SLEEP = """
import pathlib, threading, time
from services.embedded.postgres import Postgres
from services.embedded.redis import Redis
from services.embedded.supervisor import Supervisor
from services.embedded.ward import Program
home = pathlib.Path(sys.argv[1])
with Supervisor(home) as running:
    running.add("postgres", Postgres(home))
    running.add("redis", Redis(home))
    deaf = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); open('deaf', 'w'); time.sleep(60)"
    running.add("sleeper", Program(argv=[sys.executable, "-c", deaf], cwd=home))
    while not (home / "deaf").exists():
        time.sleep(0.01)
    print("up", flush=True)
    running.run(threading.Event())
"""


@pytest.fixture
def news():
    return []


@pytest.fixture
def running(home, news):
    with Supervisor(home, news.append) as one:
        yield one


@pytest.fixture
def tended(running, until):
    """Look after the processes until something is true."""

    def wait(condition):
        def check():
            running.tend()
            return condition()

        until(check)

    return wait


def python(text, **more):
    return Program(argv=[sys.executable, "-c", text], **more)


def pid(running, name):
    return running.states()[name]["pid"]


def test_a_killed_child_is_started_again(running, tended, news):
    running.add("sleeper", SLEEP)
    first = pid(running, "sleeper")
    os.kill(first, signal.SIGKILL)
    tended(lambda: pid(running, "sleeper") not in (first, None))
    assert running.states()["sleeper"]["restarts"] == 1
    assert "sleeper was ended by signal 9" in news[0]
    assert news[1] == "sleeper was started again"


def test_one_that_keeps_dying_is_started_less_and_less_often(running, news, monkeypatch):
    clock = [0.0]
    monkeypatch.setattr(supervisor.time, "monotonic", lambda: clock[0])
    running.add("flop", python("raise SystemExit('no luck')"))
    starts = []
    while clock[0] < 60:
        one = running._wards[0]
        if one._state == "running":
            one.server.process.wait()
        before = one.restarts
        running.tend()
        if one.restarts > before:
            starts.append(clock[0])
        clock[0] += 0.1
    gaps = [b - a for a, b in pairwise(starts)]
    assert gaps == pytest.approx([0.4, 0.8, 1.6, 3.2, 6.4, 10, 10, 10, 10], abs=0.35)
    assert running.states()["flop"]["reason"] == "no luck"
    assert "ended with status 1; starting it again in 0.2 s" in news[0]


def test_a_healthy_life_makes_the_delay_short_again(tmp_path):
    class Stub:
        log = tmp_path / "log"
        process = None
        alive = True

        def start(self):
            self.alive = True

        launch = start

        def running(self):
            return self.alive

    stub = Stub()
    one = ward.Ward("stub", stub)
    one.start(0.0)
    now = 0.0
    delays = []
    for life in (1.0, 1.0, 1.0, ward.HEALTHY_SECONDS, 1.0):
        stub.alive = False
        now += life
        delays.append(float(one.tend(now).split(" in ")[1].split()[0]))
        now += delays[-1]
        assert one.tend(now) == "stub was started again"
    assert delays == [0.2, 0.4, 0.8, 0.2, 0.4]


def test_a_child_that_refuses_its_configuration_is_not_restarted(running, tended, news):
    running.add("wrong", python("import sys; print('HOST is not set', file=sys.stderr); sys.exit(78)"))
    tended(lambda: news)
    time.sleep(0.3)
    running.tend()
    assert news == ["wrong will not run: HOST is not set"]
    assert running.states()["wrong"]["state"] == "refused"
    assert runfile.read(running.home)["processes"]["wrong"]["reason"] == "HOST is not set"


def test_a_program_that_is_not_there_keeps_being_tried(running, tended, news):
    running.add("ghost", Program(argv=["/no/such/program"]))
    tended(lambda: len(news) >= 3)
    assert "cannot start /no/such/program" in running.states()["ghost"]["reason"]


def test_stop_leaves_no_orphan_and_kills_the_deaf(running, home, until, monkeypatch, family):
    monkeypatch.setattr(supervisor, "GRACE_SECONDS", 0.5)
    running.add("parent", python(WITH_CHILD))
    running.add("deaf", python(DEAF))
    until(lambda: len(family(pid(running, "parent"))) == 2)
    until(lambda: "deaf" in files.tail(home / "logs" / "deaf.log"))
    processes = [*family(pid(running, "parent")), *family(pid(running, "deaf"))]
    assert len(processes) == 3
    running.stop()
    assert psutil.wait_procs(processes, timeout=2)[1] == []
    assert runfile.read(home) is None
    running.stop()


def test_programs_stop_before_servers_and_the_last_started_first(running, home, until, monkeypatch):
    order = []
    text = "import os, signal, time\ndef end(*_):\n os.write(1, b'bye\\n')\n os._exit(0)\n"
    text += "signal.signal(signal.SIGTERM, end); os.write(1, b'ready\\n'); time.sleep(60)"
    ask, stop = ward.ProgramServer.ask_to_stop, Redis.stop
    monkeypatch.setattr(ward.ProgramServer, "ask_to_stop", lambda self: (order.append(self.log.stem), ask(self)))
    monkeypatch.setattr(Redis, "stop", lambda self: (order.append("redis"), stop(self)))
    running.add("redis", Redis(home))
    for name in "abc":
        running.add(name, python(text))
    until(lambda: all(files.tail(home / "logs" / f"{name}.log") == "ready" for name in "abc"))
    running.stop()
    assert order == ["c", "b", "a", "redis"]
    assert all(files.tail(home / "logs" / f"{name}.log", 1) == "bye" for name in "abc")


def test_servers_are_restarted_and_keep_their_address(running, home, tended, rows, made):
    shutil.copytree(made, home, dirs_exist_ok=True)
    postgres, redis = Postgres(home), Redis(home)
    running.add("postgres", postgres)
    running.add("redis", redis)
    running.announce({"console": "http://127.0.0.1:1"})
    addresses = [postgres.url, redis.url]
    assert rows(postgres.url, add=10) == 10
    dead = [server.process.pid for server in (postgres, redis)]
    for one in dead:
        os.kill(one, signal.SIGKILL)

    def answers():
        try:
            return rows(postgres.url) == 10
        except psycopg.OperationalError:
            return False

    tended(lambda: redis.running() and redis.process.pid not in dead and answers())
    assert [postgres.url, redis.url] == addresses
    told = json.loads((home / "run.json").read_text())
    assert told["pid"] == os.getpid()
    assert told["addresses"] == {"console": "http://127.0.0.1:1"}
    assert told["processes"]["postgres"]["pid"] == postgres.process.pid
    assert (home / "run.json").stat().st_mode & 0o777 == 0o600


def test_kill_9_of_the_supervisor_ends_everything_and_the_next_one_starts(home, script, family, rows, made):
    shutil.copytree(made, home)
    parent = script(SUPERVISE_AND_SLEEP, home)
    assert parent.stdout.readline() == "up\n"
    assert set(runfile.read(home)["processes"]) == {"postgres", "redis", "sleeper"}
    processes = family(parent.pid)[1:]
    parent.kill()
    parent.wait()
    assert psutil.wait_procs(processes, timeout=5)[1] == []
    assert runfile.read(home) is None  # though run.json is still there
    with Supervisor(home) as again:
        postgres = Postgres(home)
        again.add("postgres", postgres)
        assert rows(postgres.url, add=1) == 1


def test_a_second_supervisor_is_refused(running, home):
    with pytest.raises(PermanentError, match=rf"already runs in {home} \(process {os.getpid()}\)") as failure:
        Supervisor(home).__enter__()
    assert failure.value.reason is Reason.BAD_CONFIG
    running.stop()
    with Supervisor(home):
        pass


def test_a_name_is_taken_once(running):
    running.add("sleeper", SLEEP)
    with pytest.raises(ValueError, match="already supervised"):
        running.add("sleeper", SLEEP)


def test_run_ends_with_its_event_and_stops_nothing(running):
    running.add("sleeper", SLEEP)
    event = threading.Event()
    threading.Timer(0.2, event.set).start()
    running.run(event)
    assert pid(running, "sleeper")


def test_the_environment_is_the_one_given(running, home, until):
    running.add("env", python("import os; print(sorted(os.environ))", env={"ONLY": "this", "LC_ALL": "C"}))
    until(lambda: files.tail(home / "logs" / "env.log") == "['LC_ALL', 'ONLY']")


def test_logs_are_rotated_at_start_and_bounded_while_written(running, home):
    log = home / "logs" / "chatty.log"
    log.parent.mkdir()
    log.write_text("last time\n")
    running.add("chatty", python("print('now', flush=True); import time; time.sleep(60)"))
    assert log.with_name("chatty.log.1").read_text() == "last time\n"
    with files.open_log(log) as writer:
        writer.write(b"x" * 2000)
        files.bound_log(log, 1000)
        assert log.stat().st_size == 0
        writer.write(b"after\n")
    assert "after" in log.read_text().split()
    assert log.with_name("chatty.log.1").stat().st_size >= 2000
