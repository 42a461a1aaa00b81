import re
import tomllib

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.deploy.reading import DEPLOY, ROOT

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
LOCK = (DEPLOY / "requirements.txt").read_text(encoding="utf-8")
LOCKED = dict(re.findall(r"^([\w.-]+)==(\S+)", LOCK, re.MULTILINE))
DOCKERFILE = (DEPLOY / "Dockerfile").read_text(encoding="utf-8")


@pytest.mark.parametrize("wanted", [*map(Requirement, PROJECT["dependencies"])], ids=lambda r: r.name)
def test_each_dependency_is_locked_at_a_version_it_allows(wanted):
    assert wanted.specifier.contains(LOCKED[canonicalize_name(wanted.name)])


def test_nothing_is_installed_unhashed():
    assert "--require-hashes" in DOCKERFILE
    assert len(re.findall(r"--hash=sha256:", LOCK)) >= len(LOCKED) > len(PROJECT["dependencies"])


@pytest.mark.parametrize("extra", PROJECT["optional-dependencies"])
def test_the_image_holds_no_extra(extra):
    names = {canonicalize_name(Requirement(text).name) for text in PROJECT["optional-dependencies"][extra]}
    assert not names & set(LOCKED)


def test_what_is_copied_is_there_and_reaches_the_build():
    let_in = {
        line[1:] for line in (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines() if line.startswith("!")
    }
    lines = re.findall(r"^COPY (?!--from)(.+) \S+$", DOCKERFILE, re.MULTILINE)
    sources = [source for line in lines for source in line.split() if "*" not in source]
    assert {"schemas", "services", "workers"} <= set(sources)
    for source in sources:
        assert (ROOT / source).exists(), source
        assert source in let_in, source
