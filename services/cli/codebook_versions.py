"""framewatch codebook list, status, log, show, export, rollback: the versions of codebooks, and who changed them."""

from pathlib import Path
from typing import Any

import click
from rich.console import Console
from rich.table import Table

from schemas import codebook as files
from schemas.errors import PermanentError, Reason
from services.analysis import ages
from services.analysis.naming import many
from services.cli import calling, house
from services.store import applying, changes, codebooks
from services.store.pool import Connection, Row

Json = click.option("--json", "as_json", is_flag=True, help="For another program to read.")
Which = click.argument("name", metavar="[CODEBOOK]", required=False)
Version = click.option("--version", type=click.IntRange(1), help="Which version.  [default: the current one]")


@click.command(name="list")
@Json
def list_versions(*, as_json: bool) -> None:
    """Every version and its state."""
    with house.transaction() as tx:
        found = codebooks.list_codebooks(tx)
        building = {r["version_id"]: r for r in applying.progress(tx)}
    told = [{**v, "done": building.get(v["version_id"], {}).get("share")} for v in found]
    if as_json:
        house.echo_json(told)
        return
    table = Table("codebook", "version", "state", "applied", "title", box=None, pad_edge=False)
    for v in told:
        state = v["state"] if v["done"] is None else f"{v['state']}, {v['done']:.0%}"
        table.add_row(v["codebook"], str(v["version"]), state, f"{v['applied_at']:%d %b %Y %H:%M}", v["title"])
    _print(table)


@click.command()
@Json
def status(*, as_json: bool) -> None:
    """How far versions have come that are being built; readers see the one before until all is scored."""
    with house.transaction() as tx:
        found = applying.progress(tx)
    if as_json:
        house.echo_json(found)
        return
    for r in found:
        told = f"{r['codebook']} version {r['to_version']}: {r['done']:,} of {many(r['posts'], 'post')} scored"
        click.echo(f"{told} ({r['share']:.0%}), asked {ages.brief(r['asked_at'], house.now())} by {_by(r)}")
    if not found:
        click.echo("Nothing is being built.")


@click.command()
@Which
@click.option("--limit", type=click.IntRange(1, 10_000), default=50, show_default=True, help="The last so many.")
@Json
def log(*, name: str | None, limit: int, as_json: bool) -> None:
    """Who changed a codebook, when, and how many posts that moved."""
    with house.transaction() as tx:
        found = changes.list_changes(tx, name, limit=limit)
        if not found and name not in {None, *(v["codebook"] for v in codebooks.list_codebooks(tx))}:
            raise PermanentError(Reason.NOT_FOUND, f"there is no codebook {name}; see: framewatch codebook list")
    if as_json:
        house.echo_json(found)
        return
    table = Table("when", "who", "what", "state", "posts moved", "frames gained", "lost", box=None, pad_edge=False)
    for r in found:
        what = f"{r['kind']} {r['codebook']} {r['from_version'] or '–'} → {r['to_version']}"
        numbers = ["" if r[k] is None else f"{r[k]:,}" for k in ("moved", "gained", "lost")]
        table.add_row(f"{r['asked_at']:%d %b %Y %H:%M}", _by(r), what, r["state"], *numbers)
    _print(table)


@click.command()
@Which
@Version
@Json
def show(*, name: str | None, version: int | None, as_json: bool) -> None:
    """The frames of a version, and what each says of itself."""
    with house.transaction() as tx:
        found = _version(tx, name, version)
    read = files.parse(found["body"], found["codebook"])
    if as_json:
        about = {k: v for k, v in found.items() if k not in ("body", "version_id")}
        house.echo_json({**about, **read.model_dump(mode="json", exclude_defaults=True)})
        return
    click.echo(f"{read.codebook} version {found['version']} ({found['state']}): {read.title}")
    table = Table("frame", "title", "examples", "counterexamples", "threshold", "owner", "disarm", box=None,
                  pad_edge=False)  # fmt: skip
    for f in read.frames:
        threshold = "learned" if f.threshold is None else f"{f.threshold:g}"
        sides = (str(len(f.examples)), str(len(f.counterexamples)))
        table.add_row(f.id, f.title, *sides, threshold, f.owner or "", " ".join(f.disarm))
    _print(table)


@click.command()
@Which
@Version
@click.option(
    "--output", type=click.Path(path_type=Path, dir_okay=False), help="Write it there instead of printing it."
)
def export(*, name: str | None, version: int | None, output: Path | None) -> None:
    """A version as it was applied, byte by byte: a frame pack, which `codebook import` takes elsewhere."""
    with house.transaction() as tx:
        body = _version(tx, name, version)["body"]
    if output:
        output.write_bytes(body.encode())
    else:
        click.echo(body, nl=False)


@click.command()
@Which
@click.option("--to", type=click.IntRange(1), help="Which version.  [default: the one before the current one]")
@Json
def rollback(*, name: str | None, to: int | None, as_json: bool) -> None:
    """Bring an earlier version back; while one is being built, that is given up."""
    with house.transaction() as tx:
        found = applying.rollback(tx, name, now=house.now(), to=to, by=house.who())
    if as_json:
        house.echo_json({k: found[k] for k in ("codebook", "version", "state", "posts")})
        return
    click.echo(f"{found['codebook']} version {found['version']} is {found['state']}.")
    if found["posts"]:
        calling.say(f"First it scores {many(found['posts'], 'post')} that came since; see: framewatch codebook status")


def _version(tx: Connection, name: str | None, version: int | None) -> Row:
    """A version with its body. Raises PermanentError(NOT_FOUND)."""
    current = [v for v in codebooks.current_codebooks(tx) if name in (None, v["codebook"])]
    if version is None:
        if len(current) == 1:
            return current[0]
        told = (
            f"several are current, name one: {', '.join(v['codebook'] for v in current)}"
            if current
            else "none is current"
        )
        told = f"codebook {name}: {told}" if name else told
        raise PermanentError(Reason.NOT_FOUND, f"{told}; see: framewatch codebook list")
    known = sorted({v["codebook"] for v in codebooks.list_codebooks(tx) if name in (None, v["codebook"])})
    found = codebooks.find_codebook(tx, known[0], version) if len(known) == 1 else None
    if found is None:
        told = f"there is no version {version} of {name or 'one codebook'}; see: framewatch codebook list"
        raise PermanentError(Reason.NOT_FOUND, told)
    return found


def _print(table: Table) -> None:
    """Wide enough for its columns also where no terminal says how wide it is."""
    Console(width=max(Console().width, 120)).print(table)


def _by(change: dict[str, Any]) -> str:
    return change["asked_by"] or "somebody"


COMMANDS = (list_versions, status, log, show, export, rollback)
