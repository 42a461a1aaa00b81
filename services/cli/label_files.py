"""framewatch label import and export: labels as labelled posts, JSON lines, for other programs and other houses."""

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import click

from schemas.errors import PermanentError, Reason
from services.analysis.naming import many
from services.cli import house, judging, lines
from services.store import codebooks, labels
from services.store.pool import Connection, Row

AT_ONCE = 500


@click.command(name="export")
@click.option("--frame", default=None, help="Only labels of this frame; one line then says all there is on a post.")
@click.option("--codebook", default=None, help="Which codebook, where several are current.")
@click.option("--output", type=click.Path(path_type=Path, dir_okay=False), help="A new file.  [default: print]")
@click.option("--overwrite", is_flag=True, help="Write over a file that is there.")
def export_labels(*, frame: str | None, codebook: str | None, output: Path | None, overwrite: bool) -> None:
    """Labelled posts as JSON lines, one a post and judge, for `codebook evaluate --posts` among others.

    "frames" are those the judge said yes to, "judged" all that were answered with yes or no, "unsure" the others.
    """
    with house.transaction() as tx:
        found = list(_posts(labels.list_labels(tx, _codebook(tx, codebook)["codebook"], frame)))
        if frame is not None and not found:
            judging.frame_of(tx, frame, codebook)
    text = "".join(f"{json.dumps(post, ensure_ascii=False, default=house.plain)}\n" for post in found)
    if output is None:
        click.echo(text, nl=False)
        return
    house.write_new(output, text, overwrite=overwrite)
    click.echo(f"{output} holds {many(len(found), 'labelled post')}.", err=True)


@click.command(name="import")
@click.argument("file", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@click.option("--codebook", default=None, help="Which codebook, where several are current.")
@click.option("--judge", default=None, help='Who judged, where a line has no "judge".  [default: your user name]')
@click.option("--source", default="jsonl", show_default=True, help='Source of posts whose line has no "source".')
@house.json_option
def import_labels(*, file: Path, codebook: str | None, judge: str | None, source: str, as_json: bool) -> None:
    """Take in labelled posts (JSON lines): "id", "source" and "frames", the ids each post carries.

    "judged" says which frames were asked about; without it all others of the codebook are taken as answered with no.
    Labels of posts that are not stored here are left out. Importing a file again changes nothing.
    """
    who = judging.name(judge)
    kept = missing = 0
    for batch in lines.batches(lines.read(file), AT_ONCE):
        with house.transaction() as tx:
            book = _codebook(tx, codebook)
            known = [f["frame"] for f in codebooks.list_frames(tx) if f["codebook"] == book["codebook"]]
            numbers = _numbers(tx, batch, source)
            for post in batch:
                number = numbers.get((str(post.get("source") or source), post["id"]))
                answers = _answers(file, post, known)
                missing += number is None
                if number is not None:
                    about: dict[str, Any] = {"codebook": book["codebook"], "judge": _judge(file, post, who)}
                    for frame, answer in answers.items():
                        labels.add_label(tx, **about, frame=frame, post_id=number, answer=answer, now=house.now())
                    kept += len(answers)
        click.echo(f"{many(kept, 'label')} kept …", err=True)
    if as_json:
        house.echo_json({"kept": kept, "posts_missing": missing})
        return
    click.echo(
        f"{many(kept, 'label')} kept." + (f" Left out: {many(missing, 'post')} not stored here." if missing else "")
    )


def _codebook(tx: Connection, codebook: str | None) -> Row:
    known = [c for c in codebooks.current_codebooks(tx) if codebook in (None, c["codebook"])]
    if len(known) == 1:
        return known[0]
    names = ", ".join(c["codebook"] for c in codebooks.current_codebooks(tx)) or "none"
    raise PermanentError(Reason.NOT_FOUND, f"name one current codebook with --codebook; there is: {names}")


def _posts(found: Sequence[Row]) -> Iterator[dict[str, Any]]:
    """One labelled post a post and judge; labels of a text that was edited since are not told of the new one."""
    told: dict[tuple[int, str], dict[str, Any]] = {}
    for row in found:
        if row["same_text"]:
            post = told.setdefault((row["post_id"], row["judge"]), _post(row))
            for name in {"yes": ("frames", "judged"), "no": ("judged",), "unsure": ("unsure",)}[row["answer"]]:
                post[name].append(row["frame"])
    yield from told.values()


def _post(row: Row) -> dict[str, Any]:
    names = ("text", "published_at", "lang", "author", "url", "source", "judge", "judged_at", "origin")
    return {"id": row["native_id"], **{k: row[k] for k in names}, "frames": [], "judged": [], "unsure": []}


def _numbers(tx: Connection, posts: Sequence[lines.Post], source: str) -> dict[tuple[str, str], int]:
    by_source: dict[str, list[str]] = {}
    for post in posts:
        by_source.setdefault(str(post.get("source") or source), []).append(post["id"])
    return {
        (name, own): number
        for name, ids in by_source.items()
        for own, number in labels.find_posts(tx, name, ids).items()
    }


def _answers(file: Path, post: Mapping[str, Any], known: Sequence[str]) -> dict[str, labels.Answer]:
    """What a line says of each frame. Raises PermanentError(BAD_INPUT) for lists that are none, or unknown frames."""
    lists = {name: post.get(name, default) for name, default in (("frames", None), ("judged", None), ("unsure", []))}
    lists["judged"] = known if lists["judged"] is None else lists["judged"]
    for name, told in lists.items():
        if not isinstance(told, list | tuple):
            raise PermanentError(Reason.BAD_INPUT, f'{file}: post {post["id"]} needs a list "{name}"; [] says none')
        if unknown := {str(f) for f in told} - set(known):
            raise PermanentError(Reason.BAD_INPUT, f"{file}: post {post['id']}: the codebook has no {min(unknown)}")
    unsure = set(lists["unsure"])
    answers: dict[str, labels.Answer] = {f: "no" for f in lists["judged"] if f not in unsure}
    answers |= dict.fromkeys(lists["unsure"], "unsure")
    return answers | dict.fromkeys(lists["frames"], "yes")


def _judge(file: Path, post: Mapping[str, Any], who: str) -> str:
    given = post.get("judge")
    if given is None:
        return who
    if not isinstance(given, str):
        raise PermanentError(Reason.BAD_INPUT, f'{file}: post {post["id"]}: "judge" is a name')
    return judging.name(given)
