"""framewatch feeds import and export: the lists people already have, and the packs that come with a codebook."""

from collections.abc import Callable, Iterable
from pathlib import Path

import click

from schemas.errors import PermanentError, Reason
from services import demo
from services.analysis.accounts import read_accounts, write_accounts
from services.analysis.confidential import masked
from services.analysis.listing import MAX_LIST_BYTES, FeedList, Listed, Trouble
from services.analysis.naming import many
from services.analysis.opml import read_opml, write_opml
from services.cli import feed_rows, house
from services.store import feeds as rows
from services.usecases import adding

WRITERS: dict[str, Callable[[Iterable[Listed]], bytes]] = {"opml": write_opml, "csv": write_accounts}


@click.command(name="import")
@click.argument("source", metavar="LIST")
@click.option("--dry-run", is_flag=True, help="Show what would be added; add nothing.")
@house.json_option
def import_feeds(*, source: str, dry_run: bool, as_json: bool) -> None:
    """Add the feeds of LIST: an OPML file, a CSV table of accounts, or the name of a pack (palmyra-2016).

    Rows that cannot be used are named with their line, the others are added. A feed that is there already stays as it
    is; it only gets the groups and attributes that the list has for it, and a title if it had none.
    """
    read = _read(source)
    good, bad = _check(read.feeds)
    with house.transaction() as tx:
        known = adding.known_feeds(tx)
        new = [feed for feed in good if (feed.kind, feed.address) not in known]
        for feed in () if dry_run else good:
            adding.add(tx, feed_rows.beside(feed, known.get((feed.kind, feed.address))), known, house.now())
    troubles = sorted([*read.troubles, *bad], key=lambda t: t.line)
    for trouble in troubles:
        click.echo(f"{source}:{trouble.line}: {trouble.told}", err=True)
    for note in read.notes:
        click.echo(f"{source}: {note}", err=True)
    about = {
        "dry_run": dry_run, "added": len(new), "known": len(good) - len(new),
        "twice": len(read.feeds) - len(bad) - len(good), "refused": len(bad),
    }  # fmt: skip
    if as_json:
        shown = [{"source": f.kind, "address": masked(f.address), "title": f.title, "new": f in new} for f in good]
        wrong = [{"line": t.line, "told": t.told} for t in troubles]
        house.echo_json({**about, "feeds": shown, "troubles": wrong, "notes": list(read.notes)})
    else:
        _tell(new, about)
    if troubles:
        raise PermanentError(Reason.BAD_INPUT, f"not all of {source} could be used; mend the lines named, import again")


def _tell(new: list[Listed], about: dict[str, int]) -> None:
    if about["dry_run"]:
        for feed in new:
            click.echo(f"Would add: {feed.kind} {masked(feed.address)}" + (f" ({feed.title})" if feed.title else ""))
    click.echo(
        f"{'Would add' if about['dry_run'] else 'Added'} {about['added']:,}; {about['known']:,} already there; "
        f"{about['twice']:,} named twice; {about['refused']:,} refused."
    )


@click.command(name="export")
@click.option("--format", "form", type=click.Choice(sorted(WRITERS)), help="Else as FILE ends, else opml.")
@click.option("-o", "--output", type=click.Path(path_type=Path, dir_okay=False), help="Else standard output.")
def export_feeds(*, form: str | None, output: Path | None) -> None:
    """Write every feed to a list that import reads again, without secrets."""
    with house.transaction() as tx:
        found, told = feed_rows.listed(rows.list_feeds(tx))
    ending = output.suffix.lower().lstrip(".") if output else ""
    data = WRITERS[form or (ending if ending in WRITERS else "opml")](found)
    for line in told:
        click.echo(line, err=True)
    if output is None:
        click.echo(data, nl=False)
        return
    try:
        output.write_bytes(data)
    except OSError as error:
        raise PermanentError(Reason.BAD_INPUT, f"{output}: cannot write it: {error.strerror}") from error
    click.echo(f"{output} holds {many(len(found), 'feed')}.", err=True)


def _read(source: str) -> FeedList:
    """The list in a file, or in a pack of that name."""
    data = _bytes(Path(source)) if Path(source).is_file() else demo.pack(source)
    if data is None:
        packs = ", ".join(demo.packs())
        raise PermanentError(
            Reason.NOT_FOUND, f"{source} is neither a file here nor a pack; there are the packs: {packs}"
        )
    marks = data.lstrip(b"\xef\xbb\xbf\xff\xfe\0 \t\r\n")
    try:
        return read_opml(data) if marks.startswith(b"<") else read_accounts(data)
    except PermanentError as error:
        raise PermanentError(error.reason, f"{source}: {error}") from error


def _bytes(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            data = file.read(MAX_LIST_BYTES + 1)
    except OSError as error:
        raise PermanentError(Reason.BAD_INPUT, f"{path}: cannot read it: {error.strerror}") from error
    if len(data) > MAX_LIST_BYTES:
        raise PermanentError(
            Reason.BAD_INPUT, f"{path} is larger than {MAX_LIST_BYTES >> 20} MB, which no list of feeds is"
        )
    return data


def _check(found: Iterable[Listed]) -> tuple[list[Listed], list[Trouble]]:
    """Each feed once with its kind and canonical address, and the rows that have none."""
    good: dict[tuple[str, str], Listed] = {}
    bad: list[Trouble] = []
    for feed in found:
        try:
            one = adding.checked(feed)
        except PermanentError as error:
            bad.append(Trouble(feed.line, str(error)))
        else:
            good.setdefault((one.kind, one.address), one)
    return list(good.values()), bad
