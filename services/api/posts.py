"""The routes of posts: lists by cursor, one post, why it got its frames, and what is like it. They decide nothing."""

from typing import Annotated

from fastapi import APIRouter, Path, Query, Request, Response

from schemas import wire, wire_similar, wire_why
from services.api import questions
from services.api.routes import FAULTS, With
from services.api.tables import CSV, AsCsv, table
from services.store import listings, similar
from services.usecases.why import why_post

router = APIRouter(prefix="/api/v1", tags=["posts"], responses=FAULTS)
PostId = Annotated[int, Path(description="Our number of the post.", ge=1, le=questions.BIGINT)]


@router.get("/posts", summary="Posts, newest first", response_model=wire.PostPage, responses=CSV)
def posts(
    by: With, request: Request, asked: Annotated[questions.PostQuestion, Query()], as_csv: AsCsv
) -> wire.PostPage | Response:
    """Pages by cursor: complete and without repeats, whatever arrives meanwhile."""
    told = dict(asked)
    told |= questions.position(told.pop("cursor"), int, moves=True)
    with by.store.transaction() as tx:
        page = listings.read_posts(tx, by.now(), **told)
    last = page.posts[-1] if len(page.posts) == asked.limit else None
    following = questions.cursor(last.published_at, last.post_id, page.since) if last else None
    if as_csv:
        return table(request, wire.Post, page.posts, following)
    return page.model_copy(update={"next": following})


@router.get("/posts/{post_id}", summary="One post")
def post(by: With, post_id: PostId) -> wire.Post:
    """With its frames under the first current codebook; 404 when it was deleted."""
    with by.store.transaction() as tx:
        return listings.read_post(tx, post_id)


@router.get("/posts/{post_id}/why", summary="Why a post got its frames")
def why(by: With, post_id: PostId, asked: Annotated[questions.WhyQuestion, Query()]) -> wire_why.Why:
    """The nearest texts of the codebook, what each moved, and the words that carried the answer.

    The first question after a rest loads the model, which takes a second or two.
    """
    return why_post(by.store, by.borrow, post_id, **dict(asked))


@router.get("/posts/{post_id}/similar", summary="More like this one")
def alike(by: With, post_id: PostId, asked: Annotated[questions.SimilarQuestion, Query()]) -> wire_similar.Similar:
    """By meaning, across languages: the vectors that classification stored. Exact over the newest 30,000 posts."""
    with by.store.transaction() as tx:
        return similar.read_similar(tx, by.now(), post_id, days=asked.days, limit=asked.limit)
