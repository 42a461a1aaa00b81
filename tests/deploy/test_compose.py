import importlib.util
import re
import subprocess
import tomllib
from dataclasses import fields

import pytest

from services.cli import COMMANDS
from services.settings import PREFIX, Settings, load
from tests.deploy.reading import COMPOSE, DEPLOY, ROOT, compose, ours, services
from workers.app import app
from workers.schedule import LASTING, QUEUES, TICKS

KNOWN = {f"{PREFIX}{f.name.upper()}": f for f in fields(Settings)}
ONE_SHOT = {"migrate", "cli"}
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]


def setting_of(variable):
    return variable if variable in KNOWN else variable.removesuffix("_FILE")


def option(words, name):
    return words[words.index(name) + 1]


def workers():
    """Queue by service."""
    return {name: option(s["command"], "--queues") for name, s in ours().items() if "worker" in s["command"]}


@pytest.mark.parametrize("name", ours())
def test_every_command_is_one_of_ours(name):
    words = [*ours()[name].get("entrypoint", []), *ours()[name]["command"]]
    match words:
        case ["framewatch", verb]:
            assert "framewatch" in PROJECT["scripts"]
            assert verb in {*COMMANDS, "--help"}
        case ["python", "-m", module]:
            found = importlib.util.find_spec(module)
            assert found
            if found.submodule_search_locations:
                assert importlib.util.find_spec(f"{module}.__main__")
        case ["celery", "-A", "workers.app", "worker", *rest]:
            assert option(rest, "--queues") in {queue.name for queue in app.conf.task_queues}
        case ["celery", "-A", "workers.app", "beat", *rest]:
            module, _, scheduler = option(rest, "--scheduler").partition(":")
            assert hasattr(importlib.import_module(module), scheduler)
        case _:
            pytest.fail(f"{name}: what is {words}?")


def test_every_queue_has_its_worker_and_there_is_one_beat():
    assert sorted(workers().values()) == sorted(set(QUEUES.values()))
    assert sum("beat" in s["command"] for s in ours().values()) == 1


def test_workers_need_no_remote_control():
    for name in workers():
        assert {"--without-gossip", "--without-mingle", "--without-heartbeat"} <= set(ours()[name]["command"])


@pytest.mark.parametrize("path", [COMPOSE, DEPLOY / "Dockerfile"], ids=lambda p: p.name)
def test_every_variable_is_a_setting(path):
    named = set(re.findall(rf"\b{PREFIX}[A-Z0-9_]+\b", path.read_text(encoding="utf-8")))
    assert named
    assert {setting_of(name) for name in named} <= set(KNOWN)


def test_every_process_is_told_what_it_cannot_guess():
    wanted = {"FRAMEWATCH_HOME", "FRAMEWATCH_DATABASE_URL", "FRAMEWATCH_REDIS_URL", "FRAMEWATCH_AUTHOR_KEY"}
    for name, service in ours().items():
        assert wanted <= {setting_of(variable) for variable in service["environment"]}, name
    assert {"FRAMEWATCH_API_HOST", "FRAMEWATCH_API_TOKEN_FILE"} <= set(ours()["api"]["environment"])
    assert ours()["exporter"]["environment"]["FRAMEWATCH_EXPORTER_HOST"] == "0.0.0.0"


def test_env_example_names_every_setting_once_with_its_default():
    text = (DEPLOY / "env.example").read_text(encoding="utf-8")
    lines = re.findall(rf"^#({PREFIX}\w+)=(.*)$", text, re.MULTILINE)
    assert sorted(name for name, _ in lines) == sorted(KNOWN)
    assert dict(lines) == {name: str(field.default) for name, field in KNOWN.items()}
    assert not re.search(r"^[^#\n]", text, re.MULTILINE), "an example sets nothing"
    filled = {name: value for name, value in lines if value}
    assert load(filled) == Settings()


def test_every_port_is_published_on_loopback_only():
    published = [port for service in services().values() for port in service.get("ports", ())]
    assert published
    assert all(isinstance(port, str) and port.startswith("127.0.0.1:") for port in published)
    assert not any(service.get("network_mode") or service.get("privileged") for service in services().values())


def test_images_are_pinned():
    images = {service["image"] for service in services().values()}
    bases = re.findall(r"^ARG BASE=(\S+)$", (DEPLOY / "Dockerfile").read_text(encoding="utf-8"), re.MULTILINE)
    assert bases
    for image in {*images, *bases}:
        assert re.search(r":v?\d+\.\d+", image), image
    assert f"framewatch:{PROJECT['version']}" in images
    assert sum("build" in service for service in services().values()) == 1


@pytest.mark.parametrize("name", services())
def test_every_container_is_shut_in(name):
    service = services()[name]
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert "cap_add" not in service
    assert "no-new-privileges:true" in service["security_opt"]
    assert service["mem_limit"]
    assert service["pids_limit"]
    assert service["logging"]["options"]["max-size"]
    if name in ONE_SHOT:
        assert service["restart"] != "unless-stopped"
        assert "healthcheck" not in service
    else:
        assert service["restart"] == "unless-stopped"
        assert service["healthcheck"]["test"]


def test_the_image_does_not_run_as_root():
    users = re.findall(r"^USER (\S+)$", (DEPLOY / "Dockerfile").read_text(encoding="utf-8"), re.MULTILINE)
    assert users
    assert int(users[-1].partition(":")[0]) > 0


def test_a_worker_is_healthy_when_each_of_its_stages_runs():
    for name, queue in workers().items():
        check = ours()[name]["healthcheck"]["test"]
        assert check[:4] == ["CMD", "python", "health.py", "stages"], name
        frequent = {stage for stage, of in QUEUES.items() if of == queue and TICKS[stage] < 60} - LASTING
        assert set(check[4:]) == frequent, name


def test_what_is_waited_for_is_there_and_can_be_waited_for():
    for name, service in services().items():
        for other, wait in service.get("depends_on", {}).items():
            assert other in services(), f"{name} waits for {other}"
            if wait["condition"] == "service_healthy":
                assert "healthcheck" in services()[other]
            if wait["condition"] == "service_completed_successfully":
                assert other in ONE_SHOT
    waiting = [name for name in ours() if name != "migrate"]
    assert all("migrate" in ours()[name]["depends_on"] for name in waiting)


def test_only_who_fetches_has_a_way_out():
    networks = compose()["networks"]
    assert networks["data"]["internal"] is True
    assert {name for name, s in services().items() if "outside" in s["networks"]} == {"worker-network", "cli"}
    assert services()["postgres"]["networks"] == services()["valkey"]["networks"] == ["data"]


def test_mounts_name_what_exists():
    for name, service in services().items():
        for mount in service.get("volumes", ()):
            source = mount.split(":")[0]
            assert (ROOT / source).exists() if source.startswith(".") else source in compose()["volumes"], name
        assert set(service.get("secrets", ())) <= set(compose()["secrets"])


def test_the_secrets_are_made_once_and_fit_together(tmp_path):
    script = tmp_path / "make"
    script.write_bytes((DEPLOY / "secrets" / "make").read_bytes())
    subprocess.run(["sh", script], check=True, capture_output=True)
    made = {p.name: p.read_text() for p in tmp_path.iterdir() if p != script}
    asked = {secret["file"] for secret in compose()["secrets"].values()}
    assert {f"deploy/secrets/{name}" for name in made} == asked
    assert len(set(made.values())) == len(made)
    assert all(len(text) >= 32 and text == text.strip() for text in made.values())
    assert made["database_url"] == f"postgresql://framewatch:{made['database_password']}@postgres:5432/framewatch"
    assert tmp_path.stat().st_mode & 0o777 == 0o700
    subprocess.run(["sh", script], check=True, capture_output=True)
    assert {p.name: p.read_text() for p in tmp_path.iterdir() if p != script} == made


def test_secrets_are_kept_out_of_git_and_of_the_image():
    ignored = (DEPLOY / ".gitignore").read_text(encoding="utf-8").split()
    assert {"/env", "/secrets/*"} <= set(ignored)
    built = (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines()
    assert next(line for line in built if not line.startswith("#")) == "*"
    assert not any("secrets" in line or line in ("!deploy", "!deploy/env") for line in built if line.startswith("!"))
