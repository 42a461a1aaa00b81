import pytest

from schemas.errors import PermanentError, Reason
from services.embedded import binaries


def fake(path, says):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\n{says}\n")
    path.chmod(0o755)


@pytest.fixture
def bare(monkeypatch, tmp_path):
    """A machine with no wheels and no servers but those a test puts on PATH or into the system folder."""
    monkeypatch.setattr(binaries, "_package", lambda name: [])
    monkeypatch.setattr(binaries, "_SYSTEM_POSTGRES", tmp_path / "postgresql")
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    return tmp_path


def postgres(folder, version):
    for name in ("postgres", "pg_ctl", "initdb", "createdb"):
        fake(folder / name, f"echo '{name} (PostgreSQL) {version}'")


def test_finds_the_programs_of_the_wheels():
    assert binaries.find_postgres().major >= binaries.POSTGRES_OLDEST
    assert binaries.find_redis().is_file()


def test_nothing_to_be_found_names_the_ways_out(bare):
    with pytest.raises(PermanentError, match=r"framewatch\[embedded\].*FRAMEWATCH_DATABASE_URL") as failure:
        binaries.find_postgres()
    assert failure.value.reason is Reason.DATABASE_UNAVAILABLE
    with pytest.raises(PermanentError, match=r"framewatch\[embedded\].*FRAMEWATCH_REDIS_URL") as failure:
        binaries.find_redis()
    assert failure.value.reason is Reason.BROKER_UNAVAILABLE


def test_follows_the_link_on_path_to_the_real_folder(bare):
    postgres(bare / "opt", "16.4")
    (bare / "bin").mkdir()
    (bare / "bin" / "pg_ctl").symlink_to(bare / "opt" / "pg_ctl")
    assert binaries.find_postgres() == binaries.PostgresPrograms(bare / "opt", 16)


def test_prefers_the_newest_installed_and_passes_over_a_shim(bare):
    fake(bare / "bin" / "pg_ctl", "echo not for you >&2; exit 1")
    for major in ("9", "14", "15", "17"):
        postgres(bare / "postgresql" / major / "bin", f"{major}.2 (Debian)")
    assert binaries.find_postgres().major == 17


def test_passes_over_what_is_too_old(bare):
    postgres(bare / "postgresql" / "14" / "bin", "14.9")
    fake(bare / "bin" / "redis-server", "echo 'Redis server v=6.0.16 sha=0'")
    with pytest.raises(PermanentError, match=r"looked at .*14/bin"):
        binaries.find_postgres()
    with pytest.raises(PermanentError, match=r"looked at .*redis-server"):
        binaries.find_redis()
    fake(bare / "bin" / "valkey-server", "echo 'Valkey server v=8.1.0 sha=0'")
    assert binaries.find_redis() == bare / "bin" / "valkey-server"
