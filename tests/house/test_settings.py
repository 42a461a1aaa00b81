"""Settings: a typo refuses to start, secrets come from files, and a child reads what its parent had."""

from dataclasses import fields
from pathlib import Path

import pytest

from schemas.errors import PermanentError
from services import settings
from services.analysis.confidential import masked


def test_an_unknown_name_refuses_to_start_and_names_the_known_ones() -> None:
    with pytest.raises(
        PermanentError, match=r"FRAMEWATCH_DATABSE_URL is not a setting; known are: .*FRAMEWATCH_DATABASE_URL"
    ):
        settings.load({"FRAMEWATCH_DATABSE_URL": "x"})


def test_a_secret_is_read_from_its_file(tmp_path: Path) -> None:
    (tmp_path / "key").write_text("secret of the tests\n")
    assert settings.load({"FRAMEWATCH_AUTHOR_KEY_FILE": str(tmp_path / "key")}).author_key == "secret of the tests"
    with pytest.raises(PermanentError, match="FRAMEWATCH_AUTHOR_KEY_FILE: cannot read"):
        settings.load({"FRAMEWATCH_AUTHOR_KEY_FILE": str(tmp_path / "none")})


def test_a_value_of_the_wrong_form_is_named() -> None:
    with pytest.raises(PermanentError, match="FRAMEWATCH_API_PORT must be a whole number, not 'many'"):
        settings.load({"FRAMEWATCH_API_PORT": "many"})


def test_a_child_reads_what_its_parent_had() -> None:
    told = settings.Settings(home="/x", budget=2.5, api_port=1)
    assert settings.load({k: v for k, v in settings.environment(told).items() if k.startswith("FRAMEWATCH_")}) == told
    assert len(fields(told)) > 10


def test_no_author_goes_unmasked_and_no_password_is_logged() -> None:
    with pytest.raises(PermanentError, match="FRAMEWATCH_AUTHOR_KEY"):
        settings.author_key(settings.Settings(author_key="short"))
    assert masked("postgresql://me:s3cret@db/x redis://:pw@h/0") == "postgresql://me:***@db/x redis://:***@h/0"
