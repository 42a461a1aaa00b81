"""What the API's document says of the whole: how to ask, and what each topic is. Words only."""

ABOUT = """Which narrative frames people's posts carry, how many independent voices, and what moves.

Times are RFC 3339 in UTC; periods include their start and exclude their end. Answers stand in the stream's own
`present`: of live feeds the clock's time, of a replay as far as it has come. Shares, probabilities and coverage are 0
to 1. Counts are null where nothing was heard: unknown, never zero.

Lists come a page at a time: pass `next` of a page as `cursor` (with the same filters) until it is null. Most lists and
trends answer `Accept: text/csv` too; whole tables stream from /api/v1/exports. An answer has an ETag: send it back as
If-None-Match, and what has not changed is 304 without a body. HEAD is answered wherever GET is.

Errors are problem+json (RFC 9457): `detail` says what is wrong in words, `reason` in one of a closed list, and `errors`
which parameters or fields. Every answer has an X-Request-Id, yours if you send one; problems repeat it as `request_id`,
and our log names it. A parameter that is not known is refused, not ignored. 429 and 503 say in Retry-After when
to come back."""
TAGS = [
    {"name": name, "description": told}
    for name, told in (
        ("narratives", "Frames and their trends: what moves, and how far beyond what the past explains."),
        ("posts", "What was published, which frames it carries and why."),
        ("intake", "Sending posts in."),
        ("alerts", "What the team was told of, with its evidence, and what it said to that."),
        ("rules", "What raises an alert, and what nobody wants to hear of."),
        ("codebooks", "The frames a team watches for: preview, apply, roll back."),
        ("labels", "What people judged, and how good each frame is by that."),
        ("suggestions", "Stories that no frame stands for."),
        ("feeds", "Where posts come from, and how well each is heard."),
        ("digests", "The scheduled mail."),
        ("channels", "Where alerts and digests go."),
        ("events", "Alerts and trend points as they come."),
        ("exports", "Whole tables, streamed: JSON Lines, CSV or Parquet."),
        ("probes", "For an orchestrator."),
    )
]
