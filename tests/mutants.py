"""Planted bugs: each is a small change that breaks an invariant, and a test that must die of it.

python -m tests.mutants [word]    runs them on a copy of the tree; exit status 1 when one survives.
"""

import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Mutant:
    """In `file`, `good` becomes `bad`; `tests` must notice. `invariant` is its number in docs/invariants.md."""

    invariant: int
    file: str
    good: str
    bad: str
    tests: str


SQL = "schemas/sql/queries"
CLASSIFY, COLLECT, DETECT, LISTEN, MANNERS = (
    f"tests/stages/test_{name}.py" for name in ("classify", "collect", "detect", "listen", "manners")
)
CHANNELS = "tests/channels/test_contract.py"
DIGEST = "tests/stages/test_digest.py"
TELLING = "tests/stages/test_telling.py"
SUGGEST = "tests/stages/test_suggest.py"
LEFT = "tests/cli/test_demo_left.py"
SENDERS = "tests/stages/test_senders.py"
SILENCE = "tests/analysis/test_silence.py"
JUDGING = "tests/stages/test_judging.py"
CONDITIONS = "tests/stages/test_condition_faces.py"
RETRY = "tests/stages/test_retry.py"
COURSES = "tests/stages/test_course_faces.py"

DOOR = "tests/console/test_door.py"
WORDS = "tests/cli/test_feed_health.py"
CALLED = "tests/cli/test_calling.py"

_ORDERED = "select c.codebook, v.frame,\n       " + ",\n       ".join(
    f"array_agg(v.{name} order by v.bucket) as {told}"
    for name, told in (
        ("bucket", "at"),
        *((n, n) for n in ("posts", "units", "coverage", "expected", "upper", "state")),
    )
)
"""One order left would do for all: Postgres sorts once."""
_PAGED = (
    "\nwhere p.received_day >= ((%(since)s::timestamptz - interval '1 day') at time zone 'UTC')::date"
    "\n  and p.published_at >= %(since)s and p.published_at < %(until)s\n  and "
)

MUTANTS = [
    Mutant(6, "services/store/digesting.py", '"health": health(row, slot)}', '"health": row["state"]}', WORDS),
    Mutant(12, "services/cli/house.py", "if running(home) is None:", "if False:", f"{CALLED} -k stopped"),
    Mutant(
        12,
        "services/cli/house.py",
        'logging.getLogger("psycopg.pool").setLevel(logging.CRITICAL)',
        "pass",
        "tests/cli/test_commands.py -k away",
    ),
    Mutant(12, "services/cli/why.py", "if abs(item.push) >= LEAST_WEIGHT]", "]", "tests/cli/test_why.py -k nothing"),
    Mutant(
        12,
        "services/cli/status.py",
        '_say(console, remedies.of_messages(waits.get("parked", 0)), "bold red")',
        "pass",
        "tests/cli/test_remedies.py",
    ),
    Mutant(
        12,
        "services/cli/__init__.py",
        'calling.say(f"framewatch: {error}", err=True)',
        'click.echo(f"framewatch: {error}", err=True)',
        CALLED,
    ),
    Mutant(12, "services/cli/__init__.py", "prog_name=calling.called()", 'prog_name="framewatch"', CALLED),
    Mutant(12, "services/cli/calling.py", "(found and Path(found).resolve() == ours.resolve())", "found", CALLED),
    Mutant(12, "services/cli/calling.py", 'if len(below.parts) > 1 else f"./{below}"', "", CALLED),
    Mutant(14, "services/console/app.py", "if wanted in caller.scopes:", "if caller:", f"{DOOR} -k reader"),
    Mutant(
        14,
        "services/console/routing.py",
        "(found.needs if found else None) or usual_scope(request.method)",
        '"read"',
        f"{DOOR} -k writer",
    ),
    Mutant(14, f"{SQL}/sessions.sql", "t.revoked_at is null and", "", f"{DOOR} -k revoked"),
    Mutant(14, f"{SQL}/sessions.sql", "s.made_at > %(made_after)s and", "", f"{DOOR} -k in_any_case"),
    Mutant(
        14,
        "services/store/sessions.py",
        'return sha256(word.encode("utf-8", "replace")).digest()',
        'return word.encode("utf-8", "replace")',
        f"{DOOR} -k digest",
    ),
    Mutant(9, f"{SQL}/alerts.sql", "from held where quotable", "from held", f"{DETECT} -k clearly"),
    Mutant(2, f"{SQL}/queue.sql", "and q.fence = t.fence and q.lease_until is not null", "", f"{CLASSIFY} -k fence"),
    Mutant(2, f"{SQL}/feeds.sql", "and fence = %(fence)s and lease_until is not null", "", f"{COLLECT} -k lease"),
    Mutant(
        2,
        f"{SQL}/queue.sql",
        "order by post_id limit %(limit)s for update skip locked",
        "order by post_id limit %(limit)s",
        f"{CLASSIFY} -k claims",
    ),
    Mutant(2, "workers/stages/classify.py", "ATTEMPTS = 5", "ATTEMPTS = 500", f"{CLASSIFY} -k poison"),
    Mutant(
        3,
        "workers/hearing.py",
        "        if not feeds.settle_feed(tx, feed, **settled):\n            return Settled(ours=False)\n",
        "        feeds.settle_feed(tx, feed, **settled)\n",
        f"{COLLECT} -k lease",
    ),
    Mutant(3, "workers/hearing.py", '"cursor": feed.cursor', '"cursor": {}', f"{COLLECT} -k failed_fetch"),
    Mutant(
        4, "services/store/taking_in.py", '"duplicate": known + twice', '"duplicate": known', f"{COLLECT} -k duplicate"
    ),
    Mutant(
        4,
        "workers/stages/classify.py",
        "            scores.unscore_version(tx, version_id, sorted(mine))\n",
        "",
        f"{CLASSIFY} -k edit",
    ),
    Mutant(
        4,
        f"{SQL}/posts.sql",
        "-count(*) as posts from unscored",
        "0 as posts from unscored",
        f"{CLASSIFY} -k delete",
    ),
    Mutant(
        4,
        f"{SQL}/folding.sql",
        "update trend_points p set units = n.units, authors = n.authors",
        "update trend_points p set units = p.posts, authors = n.authors",
        f"{CLASSIFY} -k version_and_trends",
    ),
    Mutant(5, f"{SQL}/posts.sql", "and k.content_hash <> i.content_hash", "and false", f"{COLLECT} -k midnight"),
    Mutant(
        5, "services/store/units.py", "    if lost:\n", "    if False:\n", "tests/stages/test_units.py -k two_intakes"
    ),
    Mutant(
        5,
        "services/store/taking_in.py",
        "[r for r in taken if r.native_id in fresh]",
        "taken",
        "tests/stages/test_units.py -k known",
    ),
    Mutant(
        5,
        "services/analysis/grouping.py",
        "if value >= ALIKE]",
        "if value >= 0]",
        "tests/analysis/test_grouping.py -k band_alone",
    ),
    Mutant(
        5,
        "services/analysis/grouping.py",
        "unit = given or (like[0]",
        "unit = (like[0]",
        "tests/stages/test_units.py -k repost",
    ),
    Mutant(
        5,
        "services/store/units.py",
        "known = find_reposted(connection, source, [p.native_id for p in posts])",
        "known: dict[str, bytes] = {}",
        "tests/stages/test_units.py -k never_came",
    ),
    Mutant(
        6,
        "services/analysis/coverage.py",
        'intersect(kinds["expected"], kinds["heard"])',
        'kinds["expected"]',
        "tests/analysis/test_coverage.py",
    ),
    Mutant(
        6,
        "services/analysis/bursts.py",
        'np.where(enough, state, "learning")',
        "state",
        f"{DETECT} tests/analysis/test_bursts.py -k learning",
    ),
    Mutant(
        6,
        "services/analysis/bursts.py",
        'np.where(self._rows[3, span] >= COVERED, state, "insufficient coverage")',
        "state",
        f"{DETECT} -k gap",
    ),
    Mutant(
        6,
        "services/analysis/bursts.py",
        "if total is None else total * coverage",
        "if total is None else np.ones(len(total)) * coverage",
        "tests/cli/test_commands.py -k share_alone",
    ),
    Mutant(
        13,
        "services/analysis/sustained.py",
        "odd = moved.beyond(varied.least(moved, of)) & heard",
        "odd = np.zeros_like(heard)",
        "tests/analysis/test_plain.py",
    ),
    Mutant(
        6,
        "workers/stages/detect.py",
        "_floor(min(present, heard) if heard else present, step)",
        "_floor(present, step)",
        f"{DETECT} -k appointments",
    ),
    Mutant(
        6,
        "services/store/over_time.py",
        "return bool(scored) if covered is None else covered > 0",
        "return covered != 0",
        "tests/api/test_routes.py -k nobody_listened",
    ),
    Mutant(
        6,
        "workers/stages/detect.py",
        "if due - start <= LOOKBACK:",
        "if True:",
        f"{DETECT} -k years_ago",
    ),
    Mutant(
        9,
        "workers/stages/detect.py",
        " + raising.left_behind(rt, LOOKBACK)",
        "",
        f"{DETECT} -k 'years_ago or with_its_frame'",
    ),
    Mutant(
        9,
        "services/cli/up.py",
        "conf = mail.open(conf, make=demo)",
        "mail.open(conf, make=demo)",
        f"{LEFT} -k parks_nothing",
    ),
    Mutant(9, "services/cli/demo_mail.py", '== (NAME, "mail", HOST, SENDER)', "!= ()", f"{LEFT} -k users_own"),
    Mutant(
        6,
        "workers/stages/detect.py",
        "for f in known if replaying.is_waited_for(f, since, now)",
        "for f in known",
        f"{DETECT} -k holds_nobody_up",
    ),
    Mutant(
        6,
        "services/analysis/replaying.py",
        'feed["added_at"] < since and now - since < GRACE',
        "False",
        f"{DETECT} -k was_there_first",
    ),
    Mutant(6, f"{SQL}/senders.sql", "and ends_at > %(ends_at)s", "and false", f"{SENDERS} -k unknown"),
    Mutant(
        6,
        f"{SQL}/senders.sql",
        "where mode = 'push' and state = 'enabled'\n",
        "where mode = 'push'\n",
        f"{SENDERS} -k pause",
    ),
    Mutant(9, f"{SQL}/feeds.sql", ",\n    warning = null", "", f"{SENDERS} -k once"),
    Mutant(9, "workers/stages/detect.py", "raising.notice_silences(rt)", "pass", f"{SENDERS} -k once"),
    Mutant(6, "services/analysis/silence.py", "past[-2]", "past[-1]", f"{SILENCE} -k hides_no_other"),
    Mutant(
        6,
        "services/analysis/silence.py",
        "np.where(sent, 0.0, usual[at % WEEK_H])",
        "np.where(sent, 0.0, 1.0)",
        f"{SILENCE} -k office",
    ),
    Mutant(
        6,
        f"{SQL}/feeds.sql",
        "case mode when 'push' then 'sent' else 'heard' end",
        "'heard'",
        f"{DETECT} -k sent_its_posts",
    ),
    Mutant(
        6,
        "services/analysis/coverage.py",
        "np.where(sent, 1.0, np.nan))",
        "1.0)",
        f"{DETECT} -k sent_its_posts",
    ),
    Mutant(
        8,
        "workers/stages/detect.py",
        'verdicts if watch["past_due"] else new)',
        "new)",
        f"{DETECT} -k changed_codebook",
    ),
    Mutant(
        9,
        "workers/stages/detect.py",
        "telling.tell(tx, rt, watch, scene, (verdicts, new))",
        'telling.tell(tx, rt, watch, scene, (verdicts, verdicts if watch["past_due"] else new))',
        f"{DETECT} -k changed_codebook",
    ),
    Mutant(
        6,
        "workers/stages/detect.py",
        "*(_floor(w, step) for w in waiting if w is not None)",
        "*()",
        f"{DETECT} -k scored",
    ),
    Mutant(
        7,
        "workers/stances.py",
        "    read = _read(",
        "    encoder.encode([w['text'] for w in waiting])\n    read = _read(",
        "tests/stages/test_stance.py -k stored_before",
    ),
    Mutant(
        8,
        "workers/stages/rescore.py",
        "        if not rescoring.settle_range(tx, work.claimed):\n",
        "        rescoring.settle_range(tx, work.claimed)\n        if False:\n",
        "tests/stages/test_rescore.py -k stale_fence",
    ),
    Mutant(
        8,
        f"{SQL}/rescoring.sql",
        "    and not exists (select from scores s where s.version_id = %(version_id)s and s.post_id = r.post_id\n                    and s.post_id between %(first_id)s and %(last_id)s)\n",
        "",
        "tests/stages/test_rescore.py -k meanwhile",
    ),
    Mutant(
        8,
        f"{SQL}/codebooks.sql",
        "  and not exists (select from rescoring r where r.version_id = b.version_id and r.state = 'waiting')\n",
        "",
        "tests/stages/test_rescore.py -k readers_see",
    ),
    Mutant(
        8,
        "services/store/applying.py",
        "    scores.unscore_version(tx, version_id, rescoring.take_stale(tx, version_id))\n",
        "",
        "tests/stages/test_rescore.py -k restores",
    ),
    Mutant(
        8,
        f"{SQL}/folding.sql",
        "  delete from trend_deltas where version_id = %(version_id)s\n",
        "  delete from trend_deltas where version_id = -%(version_id)s\n",
        "tests/stages/test_rescore.py -k scored_live",
    ),
    Mutant(
        8,
        "services/analysis/redrawing.py",
        "~np.isin(before.ids, after.ids, assume_unique=True)",
        "np.isin(before.ids, after.ids, assume_unique=True)",
        "tests/stages/test_preview.py -k says",
    ),
    Mutant(
        8,
        "services/classifier/heads.py",
        "            block[len(part) :] = self.mean\n            near = nearness_of(centred(block, self.mean) @ tables[0])",
        "            near = nearness_of(centred(block[: len(part)].copy(), self.mean) @ tables[0])",
        "tests/classifier/test_heads.py -k last_bit",
    ),
    Mutant(
        8,
        f"{SQL}/stances.sql",
        "  where c.reader_id is null\n  for update of c skip locked",
        "  for update of c skip locked",
        "tests/stages/test_stance.py -k two_workers",
    ),
    Mutant(
        8,
        "services/analysis/stance.py",
        "if stance == DISPUTES and frames > 1 else stance",
        "if False else stance",
        "tests/stages/test_stance.py -k several",
    ),
    Mutant(
        7,
        "workers/stages/classify.py",
        "for p in claimed if p.text_hash not in known}",
        "for p in claimed}",
        f"{CLASSIFY} -k embedded_once",
    ),
    Mutant(
        8,
        "workers/stages/classify.py",
        "[version_id for version_id, _, _ in batch.said]",
        "[v['version_id'] for v in codebooks.codebooks_in_service(tx)]",
        f"{CLASSIFY} -k at_work",
    ),
    Mutant(
        9,
        "workers/telling.py",
        "episode.onset.isoformat())",
        "episode.last.isoformat())",
        f"{DETECT} -k 'again or all_at_once'",
    ),
    Mutant(
        9,
        f"{SQL}/deliveries.sql",
        "on conflict do nothing returning slot;",
        "on conflict (digest, slot) do update set body = excluded.body returning slot;",
        f"{DETECT} -k slot",
    ),
    Mutant(9, "workers/stages/deliver.py", '"pending" if due else "parked"', '"sent"', f"{DETECT} -k cannot_be_sent"),
    Mutant(
        9,
        "services/store/mailing.py",
        'wanted = [a for a in known if a["unsubscribed_at"] is None]',
        "wanted = known",
        f"{DIGEST} -k leaves_with",
    ),
    Mutant(
        9,
        f"{SQL}/digests.sql",
        "select distinct on (a.address) e.channel_id",
        "select e.channel_id",
        f"{DIGEST} -k leaves_with",
    ),
    Mutant(
        9,
        f"{SQL}/digests.sql",
        "where d.digest = l.digest and d.reader = l.address and d.state = 'pending'",
        "where false and d.reader = l.address and d.state = 'pending'",
        f"{DIGEST} -k waits_for_who_leaves",
    ),
    Mutant(
        9,
        "services/analysis/unsubscribing.py",
        "return reader_id if hmac.compare_digest(token(secret, reader_id), given) else None",
        "return reader_id",
        "tests/analysis/test_digest.py -k token",
    ),
    Mutant(
        9,
        "services/api/leaving.py",
        "reader = _reader(by, request, token)",
        "leave(by, request, token)\n    reader = _reader(by, request, token)",
        f"{DIGEST} -k leaves_with",
    ),
    Mutant(
        9,
        "services/analysis/slots.py",
        "    while (following := after(schedule, timezone, found)) < at:\n        found = following\n",
        "",
        "tests/analysis/test_slots.py -k twice",
    ),
    Mutant(
        9,
        "workers/stages/digest.py",
        "judged = min([present, *known]) if len(known) == len(positions) else None",
        "judged = min([present, *known])",
        f"{DIGEST} -k not_judged",
    ),
    Mutant(
        17,
        "services/analysis/conditions.py",
        "    if alert is None:",
        '    if alert is None or state == "ok":',
        CONDITIONS,
    ),
    Mutant(17, "services/store/readings.py", 'firing.get((row["codebook"], row["frame"]))', "None", CONDITIONS),
    Mutant(
        17,
        "services/analysis/headlines.py",
        'return datetime.fromisoformat(alert["fired"]) > since',
        "return True",
        "tests/analysis/test_digest.py -k 'exactly_one or one_line'",
    ),
    Mutant(
        17,
        "services/store/digesting.py",
        "moves={frame: movement(of) for frame, of in hours.items()},",
        "",
        f"{DIGEST} -k own_period",
    ),
    Mutant(
        6,
        "services/analysis/digest.py",
        "if not heard or apart is None:",
        "if apart is None:",
        "tests/analysis/test_digest.py -k not_heard",
    ),
    Mutant(
        6,
        "services/channels/charts.py",
        "_runs(units, lambda i: units[i] is None)",
        "_runs(units, lambda i: False)",
        "tests/channels/test_digest_mail.py -k nought",
    ),
    Mutant(6, "services/store/counting.py", "    if silent:\n", "    if False:\n", "tests/exporter -k not_heard"),
    Mutant(
        3,
        "workers/stages/listen.py",
        "                return\n",
        "                pass\n",
        f"{LISTEN} -k past_its_lease",
    ),
    Mutant(
        3,
        f"{SQL}/feeds.sql",
        "and (%(lease)s::interval is null or state = 'enabled')",
        "",
        f"{LISTEN} -k paused",
    ),
    Mutant(6, "workers/hearing.py", "return silence if hearing", "return None if hearing", f"{LISTEN} -k silence"),
    Mutant(10, "services/store/taking_in.py", "erased += sum(", "0 + sum(", f"{LISTEN} -k deletes"),
    Mutant(10, "workers/stages/upkeep.py", 'without_posts(told["body"], ids)', 'told["body"]', f"{MANNERS} -k leaves"),
    Mutant(
        10,
        f"{SQL}/posts.sql",
        "delete from post_versions v using gone g",
        "delete from post_versions v using gone g, erasures x",
        f"{MANNERS} -k edit",
    ),
    Mutant(12, f"{SQL}/feeds.sql", ") < %(per_host)s", ") < 99", f"{MANNERS} -k under_way"),
    Mutant(9, "workers/stages/deliver.py", "ours and error.reason == Reason.GONE", "False", f"{DETECT} -k is_gone"),
    Mutant(
        9,
        "services/channels/over_http.py",
        "if 200 <= status < 300:",
        "if 200 <= status < 400:",
        f"{CHANNELS} -k status_table",
    ),
    Mutant(9, "services/channels/over_http.py", "425: Reason.SERVER_ERROR, ", "", f"{CHANNELS} -k status_table"),
    Mutant(
        9,
        "services/channels/matrix.py",
        'quote(told.message_id, safe="")',
        'quote(told.word, safe="")',
        f"{CHANNELS} -k same_id",
    ),
    Mutant(
        9,
        "services/channels/labels.py",
        '"rule": line(data.get("rule"), 120)',
        '"rule": line(data.get("state"), 120)',
        "tests/channels/test_alertmanager.py -k labels_stay",
    ),
    Mutant(
        9,
        f"{SQL}/deliveries.sql",
        "from ours o where c.carried_by = o.delivery_id",
        "from ours o where false and c.carried_by = o.delivery_id",
        f"{TELLING} -k together_is_one",
    ),
    Mutant(
        9,
        f"{SQL}/deliveries.sql",
        "and e.state = 'pending'\n        and e.delivery_id <> d.delivery_id",
        "and false and e.state = 'pending'\n        and e.delivery_id <> d.delivery_id",
        f"{TELLING} -k waits_for_the_beginning",
    ),
    Mutant(
        9,
        "services/analysis/telling.py",
        "told=measure if told else standing.told,",
        "told=standing.told,",
        f"{TELLING} tests/analysis/test_telling.py -k 'growth or nothing'",
    ),
    Mutant(
        9,
        "services/store/announcing.py",
        '        and (only is None or c["channel_id"] in only)\n',
        "",
        f"{TELLING} -k not_told_of_the_beginning",
    ),
    Mutant(
        4,
        "services/analysis/telling.py",
        'return found or [Addressed(None, "none", "silenced", silence or "no channel", now)]',
        "return found",
        f"{DETECT} -k outage",
    ),
    Mutant(10, f"{SQL}/posts.sql", "'', 0, %(now)s\n", "'', 0, null\n", f"{COLLECT} -k come_back"),
    Mutant(
        11,
        "services/analysis/intake.py",
        "author=self.author(source, post.author)",
        "author=post.author",
        f"{COLLECT} -k pseudonyms",
    ),
    Mutant(
        12,
        "services/console/app.py",
        "elif not is_ours(request):",
        "elif False:",
        "tests/console/test_doing.py -k our_own_pages",
    ),
    Mutant(
        12,
        "services/console/forms.py",
        'startswith("bearer ")',
        'startswith("b")',
        "tests/console/test_doing.py -k our_own_pages",
    ),
    Mutant(
        6,
        "services/usecases/exploring.py",
        "f.likeness >= cut and f.at >= since",
        "f.likeness >= cut",
        "tests/console/test_explore.py -k more_posts",
    ),
    Mutant(
        6,
        "services/analysis/shares.py",
        "(np.nan_to_num(seen.coverage) >= COVERED) & (seen.every > 0)",
        "seen.every > 0",
        "tests/analysis/test_shares.py -k gap",
    ),
    Mutant(
        6,
        "services/analysis/shares.py",
        "told.learned_s >= GUARD_S + LEAST * seen.step_s",
        "told.learned_s >= 0",
        "tests/analysis/test_shares.py -k before_there_is_a_past",
    ),
    Mutant(
        6,
        "services/analysis/shares.py",
        "seen.posts, heard.astype(float), seen.every)",
        "seen.posts, heard.astype(float))",
        "tests/analysis/test_shares.py -k everybody_posts_more",
    ),
    Mutant(
        6,
        "services/usecases/shares.py",
        '"lang": trend.lang}',
        '"lang": None}',
        "tests/stages/test_shares.py",
    ),
    Mutant(
        4,
        "services/analysis/drawing.py",
        "if moves][:MOST]",
        "if moves]",
        "tests/analysis/test_drawing.py -k many",
    ),
    Mutant(
        4,
        "services/console/pages/now.py",
        "others = [f for f in found.ranked if (f.codebook, f.frame) not in found.hours]",
        "others = [f for f in found.ranked[drawing.MOST :] if (f.codebook, f.frame) not in found.hours]",
        "tests/console/test_many_frames.py -k drawn_or_in_the_table",
    ),
    Mutant(
        4,
        "services/console/static/console.js",
        "  if (typed && ",
        "  if (false && ",
        "tests/console/test_many_frames.py -k keyboard",
    ),
    Mutant(
        6,
        "services/console/chart.py",
        "None if e is None or p.coverage == 0 else",
        "None if e is None else",
        "tests/console/test_parts.py -k range_of_shares",
    ),
    Mutant(
        6,
        "services/console/chart.py",
        "gaps=_spans(at, wide, lambda p: p.coverage == 0),",
        "gaps=(),",
        "tests/console/test_parts.py -k gap",
    ),
    Mutant(
        5,
        "services/analysis/likeness.py",
        "min(len({f.unit_key for f in found}), authors)",
        "len(found)",
        "tests/analysis/test_likeness.py -k voice",
    ),
    Mutant(
        13,
        "services/analysis/budget.py",
        "recent = [_between(one, (until - DAYS, until), a_day)",
        "recent = [_between(one, (until - DAYS, until + 99), a_day)",
        "tests/analysis/test_detector.py -k replay_looks_at_nothing",
    ),
    Mutant(
        9,
        "services/analysis/bursts.py",
        "accepted[latest == number] = held.accept(asked)",
        "accepted[latest == number] = asked",
        "tests/analysis/test_detector.py -k in_force",
    ),
    Mutant(
        9,
        "services/analysis/varying.py",
        "return np.asarray(np.maximum(alone, weighed))",
        "return np.asarray(alone)",
        "tests/analysis/test_detector.py -k moods",
    ),
    Mutant(
        9,
        "services/analysis/sustained.py",
        "np.nonzero(moved.lasts(quarter) & heard)",
        "np.nonzero(np.isfinite(moved.s) & heard)",
        "tests/analysis/test_detector.py -k soon_forgotten",
    ),
    Mutant(
        9,
        "workers/calibrating.py",
        'newest["holds_from"] >= until',
        'newest["holds_from"] > until',
        "tests/stages/test_calibrating.py -k once_a_day",
    ),
    Mutant(
        13,
        "services/analysis/forecasts.py",
        "expected = pasts.expect(day, rows.starts, rows.exposure)",
        "expected = np.full(len(day), rows.seen.mean())",
        "tests/analysis/test_bursts.py -k future",
    ),
    Mutant(
        12,
        "services/channels/mail.py",
        "self._poster.connect(host, port, timeout=timedelta(seconds=timeout))",
        "socket.create_connection((host, port), timeout)",
        f"{CHANNELS} -k private",
    ),
    Mutant(
        12,
        "services/channels/over_http.py",
        "hidden = [*secrets, *_parts(request.url)]",
        "hidden = []",
        f"{CHANNELS} -k told",
    ),
    Mutant(
        12,
        "services/channels/over_http.py",
        'mend(value).replace("\\x00", "")',
        "mend(value)",
        f"{CHANNELS} -k add_a_header",
    ),
    Mutant(
        12,
        "services/channels/wording.py",
        'text.replace("@", "@\\u200b")',
        "text",
        "tests/channels/test_chats.py -k nobody",
    ),
    Mutant(
        13,
        "services/analysis/onsets.py",
        "at, x, of = starts[heard], seen[heard],",
        "at, x, of = starts[heard], seen[heard] - seen.mean(),",
        "tests/analysis/test_detector.py -k 'later or portions'",
    ),
    Mutant(
        14,
        "services/analysis/permitting.py",
        "if caller is None or wanted not in caller.scopes:",
        "if caller is None:",
        "tests/api/test_tokens.py -k 'every_route'",
    ),
    Mutant(
        14,
        "services/analysis/permitting.py",
        'return "read" if method in ("GET", "HEAD") else "admin"',
        'return "read"',
        "tests/api/test_tokens.py -k 'writes_need'",
    ),
    Mutant(
        14,
        "services/api/app.py",
        "dependencies=[Depends(permit)]",
        "dependencies=[]",
        "tests/api/test_tokens.py -k every_route",
    ),
    Mutant(
        14,
        f"{SQL}/tokens.sql",
        "where token_id = %(token_id)s and revoked_at is null and",
        "where token_id = %(token_id)s and",
        "tests/api/test_tokens.py -k revoked",
    ),
    Mutant(
        14,
        "services/store/tokens.py",
        'not hmac.compare_digest(bytes(found["digest"]), _digest(token))',
        "False",
        "tests/api/test_tokens.py -k nearly",
    ),
    Mutant(
        14,
        "services/api/guard.py",
        "return too_often(wait) if wait else caller",
        "return caller",
        "tests/api/test_tokens.py -k too_often",
    ),
    Mutant(
        4,
        "schemas/sql/migrations/0023_kept_counts.sql",
        "array_agg(n.posts - o.posts)",
        "array_agg(n.posts)",
        "tests/stages/test_steps.py",
    ),
    Mutant(
        8,
        "services/store/versions.py",
        "return until if ends is None else min(ends, until or ends)",
        "return until",
        "tests/stages/test_versions.py -k no_longer_scored",
    ),
    Mutant(16, "workers/schedule.py", '"suggest": "long",', '"suggest": "light",', "tests/stages/test_queues.py"),
    Mutant(
        4,
        f"{SQL}/posts.sql",
        "join codebooks c using (version_id)\nwhere c.kept;",
        ";",
        "tests/stages/test_versions.py -k leaves_no_trace",
    ),
    Mutant(
        4,
        "services/store/applying.py",
        'if not target["kept"]:',
        "if False:",
        "tests/stages/test_versions.py -k asked_back",
    ),
    Mutant(
        4,
        "schemas/sql/migrations/0028_trends_side_by_side.sql",
        "posts = trend_steps.posts + excluded.posts, units = null, authors = null,",
        "posts = trend_steps.posts + excluded.posts,",
        "tests/stages/test_steps.py -k counted_again",
    ),
    Mutant(
        4,
        "schemas/sql/migrations/0028_trends_side_by_side.sql",
        "set posts = add_posts(trend_rows.posts, excluded.posts)",
        "set posts = excluded.posts",
        "tests/stages/test_steps.py -k before_and_after",
    ),
    Mutant(
        4,
        "schemas/sql/migrations/0029_stances_kept.sql",
        "select version_id, frame, bucket, source, lang, stance, -count(*) from gone",
        "select version_id, frame, bucket, source, lang, stance, count(*) from gone",
        "tests/stages/test_stance.py -k kept_of_a_trend",
    ),
    Mutant(
        4,
        f"{SQL}/stances.sql",
        "set posts = add_posts(stance_rows.posts, excluded.posts)",
        "set posts = excluded.posts",
        "tests/stages/test_stance.py -k kept_of_a_trend",
    ),
    Mutant(
        4,
        f"{SQL}/trends.sql",
        "or abs(posts - posts_before) > posts / 20",
        "",
        "tests/stages/test_steps.py -k much_is_new",
    ),
    Mutant(
        4,
        f"{SQL}/folding.sql",
        "s.counted_at is null or s.counted_at +",
        "s.counted_at is null and s.counted_at +",
        "tests/stages/test_steps.py -k as_they_were",
    ),
    Mutant(
        1,
        "services/embedded/ward.py",
        "death=signal.SIGKILL",
        "death=signal.SIGTERM",
        "tests/embedded/test_supervisor.py -k kill_9",
    ),
    Mutant(
        15,
        "schemas/sql/migrations/0035_quality_marks.sql",
        "  on conflict (codebook, frame) do update set mark = excluded.mark;\n  return null;\nend $$;\n\ncreate trigger labels_added",
        "  on conflict (codebook, frame) do nothing;\n  return null;\nend $$;\n\ncreate trigger labels_added",
        "tests/stages/test_judging.py -k put_together",
    ),
    Mutant(
        15,
        "services/store/qualities.py",
        "and _made[key][0] == of}",
        "}",
        "tests/stages/test_judging.py -k put_together",
    ),
    Mutant(
        5,
        "schemas/sql/migrations/0031_words_of_carriers.sql",
        "generate_series(0,",
        "generate_series(1,",
        "tests/stages/test_lists.py",
    ),
    Mutant(
        5,
        "services/store/pages.py",
        '"until": span[1] + _INSTANT',
        '"until": span[1]',
        "tests/stages/test_lists.py",
    ),
    Mutant(
        10,
        "schemas/sql/migrations/0031_words_of_carriers.sql",
        "where w.post_id = g.post_id and",
        "where false and",
        "tests/stages/test_classify.py",
    ),
    Mutant(
        8,
        "schemas/sql/queries/rescoring.sql",
        "from rescored_frames group by post_id) f",
        "from rescored_frames where false group by post_id) f",
        "tests/stages/test_rescore.py",
    ),
    Mutant(
        4,
        "schemas/sql/migrations/0037_windows_before.sql",
        "set changed = w.changed or t.last >= w.until - w.hours * interval '1 hour',",
        "set changed = w.changed,",
        "tests/stages/test_windows.py -k little",
    ),
    Mutant(
        4,
        "schemas/sql/migrations/0037_windows_before.sql",
        "before_changed = w.before_changed or t.first < w.until - w.hours * interval '1 hour'",
        "before_changed = w.before_changed",
        "tests/stages/test_windows.py -k little",
    ),
    Mutant(
        4,
        f"{SQL}/counts.sql",
        "(not w.before_changed and w.before <> p.before)",
        "false",
        "tests/stages/test_windows.py -k verify_sees",
    ),
    Mutant(
        4,
        "services/store/counting.py",
        'if f not in kept or kept[f]["changed"]]',
        "if f not in kept]",
        "tests/stages/test_windows.py -k little",
    ),
    Mutant(
        5,
        "schemas/sql/migrations/0024_published_days.sql",
        "from added order by 1, 2",
        "from added where received_day = (published_at at time zone 'UTC')::date order by 1, 2",
        "tests/stages/test_lists.py",
    ),
    Mutant(
        10, "services/store/posts.py", "        labels.forget_labels(connection, ids)\n", "", f"{JUDGING} -k deleted"
    ),
    Mutant(10, f"{SQL}/labels.sql", "for share of k\n", "", f"{JUDGING} -k outlive"),
    Mutant(
        15,
        f"{SQL}/draws.sql",
        "on conflict do nothing\nreturning week;",
        "on conflict (codebook, frame, week) do update set drawn_at = excluded.drawn_at\nreturning week;",
        f"{JUDGING} -k at_once",
    ),
    Mutant(15, f"{SQL}/draws.sql", "distinct on (c.frame, c.unit_key) c.frame", "c.frame", f"{JUDGING} -k drawn_twice"),
    Mutant(
        15,
        f"{SQL}/labels.sql",
        "  select distinct on (d.unit_key) d.codebook",
        "  select distinct on (d.unit_key) (select stratum from samples s where s.post_id = d.post_id limit 1), d.codebook",
        f"{JUDGING} -k told_nothing",
    ),
    Mutant(
        15,
        "services/analysis/permitting.py",
        "    if judge not in (None, caller.name):",
        "    if False:",
        "tests/api/test_answers.py -k others_answered",
    ),
    Mutant(
        15,
        "services/analysis/permitting.py",
        """told)
    return caller.name""",
        """told)
    return judge""",
        "tests/api/test_answers.py -k others_answered",
    ),
    Mutant(
        15,
        "services/api/answers.py",
        "judge = asked.judge or told_answers_of(request.state.caller, None)",
        "judge = asked.judge",
        "tests/api/test_answers.py -k taken_back",
    ),
    Mutant(
        12,
        "services/api/questions.py",
        "if (since is not None) != moves:",
        "if False:",
        "tests/api/test_answers.py -k another_list",
    ),
    Mutant(
        12,
        "services/analysis/tracing.py",
        "if _FORM.fullmatch(given)",
        "if given",
        "tests/api/test_tracing.py -k taken_over",
    ),
    Mutant(
        12,
        "services/api/tracing.py",
        "REQUEST.set(named)",
        "pass",
        "tests/api/test_tracing.py -k 'names_the_request or problems_name'",
    ),
    Mutant(
        12,
        "services/api/problems.py",
        '"nosniff", HEADER: REQUEST.get()}',
        '"nosniff"}',
        "tests/api/test_tracing.py -k problems_name",
    ),
    Mutant(12, "services/api/heads.py", "raise _Told", "pass", "tests/api/test_manners.py -k streams_on"),
    Mutant(
        12, "services/api/problems.py", "if unread and", "if False and", "tests/api/test_manners.py -k another_type"
    ),
    Mutant(
        15,
        "services/store/qualities.py",
        ' or taught(body, row["text"])',
        "",
        f"{JUDGING} tests/analysis/test_taught.py -k 'those_it_was_taught or cop'",
    ),
    Mutant(
        15,
        "services/analysis/taught.py",
        "return any(likeness(letters, self._long[i]) >= ALIKE for i in near)",
        "return False",
        f"{JUDGING} tests/analysis/test_taught.py -k 'those_it_was_taught or cop'",
    ),
    Mutant(
        15,
        "services/store/qualities.py",
        'bytes(row["unit_key"]) in chose.get(key, ()) or ',
        "",
        f"{JUDGING} -k do_not_measure_it",
    ),
    Mutant(
        15,
        "services/analysis/thresholds.py",
        "zip(samples, part, strict=True) if p != number]",
        "zip(samples, part, strict=True)]",
        "tests/analysis/test_thresholds.py -k flattered",
    ),
    Mutant(
        15,
        "services/analysis/thresholds.py",
        "worth[starts] >= SUPPORT",
        "worth[starts] >= 0",
        "tests/analysis/test_thresholds.py -k decide",
    ),
    Mutant(
        15,
        "services/analysis/judging.py",
        "s.size / judged[s.week, s.stratum] for s in samples",
        "1.0 for s in samples",
        "tests/analysis/test_judging.py -k 'stratum or holds'",
    ),
    Mutant(
        12,
        f"{SQL}/exports.sql",
        "and s.post_id = p.post_id"
        + _PAGED
        + "(p.published_at, p.post_id) > (%(after)s::timestamptz, %(after_id)s::bigint)",
        "and s.post_id = p.post_id" + _PAGED + "p.published_at > %(after)s and %(after_id)s is not null",
        "tests/api/test_reading.py -k every_post",
    ),
    Mutant(
        12,
        f"{SQL}/exports.sql",
        "join models m using (model_id)"
        + _PAGED
        + "(p.published_at, p.post_id) > (%(after)s::timestamptz, %(after_id)s::bigint)",
        "join models m using (model_id)" + _PAGED + "p.published_at > %(after)s and %(after_id)s is not null",
        "tests/api/test_reading.py -k every_post",
    ),
    Mutant(
        9,
        f"{SQL}/news.sql",
        "  and m.xid < pg_snapshot_xmin(pg_current_snapshot())\n",
        "",
        "tests/api/test_reading.py -k commits_late",
    ),
    Mutant(
        12,
        "services/analysis/tabling.py",
        """f"'{value}" if value.startswith(_FORMULA) else value""",
        "value",
        "tests/api/test_reading.py -k formula",
    ),
    Mutant(
        12,
        "services/api/etags.py",
        '_PRESENT.sub(b"", message.get("body", b""), count=1)',
        'b""',
        "tests/api/test_reading.py -k clock_alone",
    ),
    Mutant(
        16,
        f"{SQL}/suggestions.sql",
        "where codebook = %(codebook)s and fence = %(fence)s and lease_until is not null\nreturning codebook",
        "where codebook = %(codebook)s\nreturning codebook",
        f"{SUGGEST} -k stale",
    ),
    Mutant(16, "services/analysis/remembering.py", 'else "dismissed"', 'else "open"', f"{SUGGEST} -k threefold"),
    Mutant(
        16,
        "services/usecases/suggesting.py",
        '    known = {k["suggestion_id"]: k for k in rows.known_suggestions(tx, codebook, present - FADED)}\n',
        '    known = {i: {"state": "open"} for i in kin.same.values()}\n',
        f"{SUGGEST} -k stands",
    ),
    Mutant(
        16,
        "services/analysis/continuing.py",
        "or alike >= ALIKE:",
        "or False:",
        "tests/analysis/test_emerging.py -k without_a_common_unit",
    ),
    Mutant(
        16,
        "services/analysis/ranking.py",
        'voices = _effective([p.voice or f"unit {p.unit}" for p in units.values()])',
        "voices = float(len(units))",
        f"{SUGGEST} tests/analysis/test_emerging.py -k machine",
    ),
    Mutant(
        16,
        f"{SQL}/suggestions.sql",
        "where exists (select from post_keys k where k.post_id = t.post_id and k.deleted_at is null)\n",
        "where true\n",
        f"{SUGGEST} -k during_a_run_does_not",
    ),
    Mutant(
        10, "workers/stages/upkeep.py", "suggestions.forget_members(tx, sorted(ids))", "pass", f"{SUGGEST} -k no_more"
    ),
    Mutant(
        16,
        f"{SQL}/suggestions.sql",
        "and not exists (\n    select from carried c",
        "and s.uncertain = '{}' and not exists (\n    select from carried c",
        f"{SUGGEST} -k carries_no_frame",
    ),
    Mutant(
        12,
        "services/store/similar.py",
        "key=lambda pair: (-pair[1], pair[0])",
        "key=lambda pair: (pair[1], pair[0])",
        "tests/api/test_similar.py -k nearest",
    ),
    Mutant(
        4,
        "services/analysis/identities.py",
        'steps["drifted"], {"none": 0}',
        '0, {"none": 0}',
        "tests/stages/test_steps.py -k verify",
    ),
    Mutant(
        4,
        f"{SQL}/counts.sql",
        "as steps, (count(*) filter (where told <> fact or voices_differ))",
        "as steps, (count(*) filter (where told <> fact))",
        "tests/stages/test_steps.py -k verify",
    ),
    Mutant(
        4,
        f"{SQL}/counts.sql",
        "       (count(*) filter (where told <> fact or voices_differ))",
        "       (count(*) filter (where told <> fact))",
        "tests/stages/test_verify.py",
    ),
    Mutant(
        7,
        "services/usecases/previewing.py",
        "Stored(*heard) if heard else None",
        "None",
        "tests/stages/test_preview.py -k same_that_was_heard",
    ),
    Mutant(
        7,
        f"{SQL}/vectors.sql",
        "where l.unit_key = p.unit_key and l.answer = 'yes'",
        "where l.unit_key = p.unit_key and l.answer = 'no'",
        "tests/stages/test_preview.py -k chance",
    ),
    Mutant(
        7,
        "services/analysis/scattering.py",
        "mixed ^= mixed >> half",
        "mixed &= mixed >> half",
        "tests/analysis/test_scattering.py -k once",
    ),
    Mutant(
        7,
        "services/store/vectors.py",
        "first += (last - first) // 2",
        "break",
        "tests/stages/test_preview.py -k sought_where",
    ),
    Mutant(1, "workers/schedule.py", '    "classify": 5.0,\n', "", "tests/stages/test_queues.py -k every_stage"),
    Mutant(
        1,
        "workers/boot.py",
        "except (OperationalError, OSError) as error:",
        "except ZeroDivisionError as error:",
        "tests/stages/test_queues.py -k without_a_broker",
    ),
    Mutant(
        1,
        "workers/tasks.py",
        "def collect() -> None:",
        "def collect(feed: int = 0) -> None:",
        "tests/house/test_house.py -k tasks_take",
    ),
    Mutant(1, "workers/late.py", 'import_module("workers.boot")', "pass", "tests/stages/test_worker_start.py"),
    Mutant(
        2,
        "workers/stages/classify.py",
        "full = len(batch.claimed) == POSTS or",
        "full =",
        "tests/stages/test_classify.py -k full_batch",
    ),
    Mutant(
        2,
        f"{SQL}/queue.sql",
        "and attempts > 0 and lease_until < clock_timestamp()",
        "and attempts > 0",
        "tests/stages/test_classify.py -k another_worker_holds",
    ),
    Mutant(
        2,
        f"{SQL}/deliveries.sql",
        "where delivery_id = %(delivery_id)s and fence = %(fence)s and lease_until is not null",
        "where delivery_id = %(delivery_id)s",
        "tests/stages/test_detect.py -k went_to_another",
    ),
    Mutant(
        4,
        "services/store/taking_in.py",
        "fetched = len(page.posts) + sum(page.dropped.values())",
        "fetched = len(page.posts)",
        "tests/stages/test_collect.py -k dropped",
    ),
    Mutant(
        4,
        "services/analysis/identities.py",
        'keys["posts"], {"living identities": keys["both"]}',
        'keys["both"], {"living identities": keys["both"]}',
        "tests/stages/test_verify.py",
    ),
    Mutant(
        4,
        f"{SQL}/counts.sql",
        "and not exists (select from scores s where s.version_id = c.version_id and s.post_id = p.post_id)\n  group by 1",
        "and false\n  group by 1",
        "tests/stages/test_verify.py",
    ),
    Mutant(
        4,
        f"{SQL}/counts.sql",
        "end\n           as state\n  from alerts a left join deliveries d",
        "else 'silenced' end\n           as state\n  from alerts a left join deliveries d",
        "tests/stages/test_verify.py",
    ),
    Mutant(
        11,
        "services/settings.py",
        "if len(settings.author_key) < 16:",
        "if False:",
        "tests/house/test_settings.py -k unmasked",
    ),
    Mutant(
        11,
        "services/analysis/identity.py",
        "hmac.new(key, message, sha256)",
        "sha256(message)",
        "tests/analysis/test_reading.py -k pseudonyms",
    ),
    Mutant(
        12,
        "services/sources/rss/markup.py",
        '"<!entity" in',
        '"<!nothing" in',
        "tests/sources/test_rss.py -k declared_entities",
    ),
    Mutant(
        12,
        "services/fetch/bodies.py",
        "max(wire_bytes, plain_bytes) > max_bytes",
        "wire_bytes > max_bytes",
        "tests/fetch/test_bodies.py -k 'cap or bomb'",
    ),
    Mutant(
        12,
        "services/fetch/guard.py",
        "allowed = [a for a in found if may_reach(a, port, self._exemptions)]",
        "allowed = found",
        "tests/fetch/test_guard.py -k 'private or mind'",
    ),
    Mutant(
        12,
        "services/fetch/guard.py",
        "self._sockets.connect_tcp(str(address), port, wait, local_address",
        "self._sockets.connect_tcp(host, port, wait, local_address",
        "tests/fetch/test_guard.py -k looked_up_once",
    ),
    Mutant(
        12,
        "services/analysis/text.py",
        '("nul", re.compile(r"\\x00"), ""),',
        '("nul", re.compile(r"\\x00"), "\\x00"),',
        "tests/analysis/test_text.py",
    ),
    Mutant(
        12,
        "services/analysis/text.py",
        're.compile(r"[\\ud800-\\udfff]")',
        're.compile(r"[\\ud800-\\udbff]")',
        "tests/analysis/test_text.py",
    ),
    Mutant(
        12,
        "services/analysis/times.py",
        'return received_at, "future"',
        'return stated.astimezone(UTC), "future"',
        "tests/analysis/test_times.py -k 'bounds or unusable'",
    ),
    Mutant(
        13,
        "schemas/sql/migrations/0001_initial.sql",
        "queued_at    timestamptz not null,",
        "queued_at    timestamptz not null default now(),",
        "tests/house/test_house.py -k database_clock",
    ),
    Mutant(
        13,
        "services/analysis/coverage.py",
        "import numpy as np\n",
        "import time\n\nimport numpy as np\n",
        "tests/house/test_imports.py",
    ),
    Mutant(
        14,
        "services/analysis/evidence.py",
        "feed = feed_told(feed)",
        "feed = dict(feed)",
        "tests/analysis/test_confidential.py",
    ),
    Mutant(
        6, "services/store/standing.py", '"health": (word := health(f, wall))', '"health": (word := f["state"])', WORDS
    ),
    Mutant(
        6,
        "services/store/listings.py",
        '**feed_told(f), "health": health(f, wall)',
        '**feed_told(f), "health": "heard"',
        WORDS,
    ),
    Mutant(6, "services/cli/feeds.py", '"health": health.health(f, now)', '"health": f["state"]', WORDS),
    Mutant(
        6,
        "services/console/templates/feeds.html",
        '}}">{{ feed.health }}</strong>',
        "}}\">{{ 'replayed' if feed.health == 'ended' else feed.health }}</strong>",
        WORDS,
    ),
    Mutant(6, "services/exporter/metrics.py", "health(f, figures.wall) == word", 'f["state"] == word', WORDS),
    Mutant(
        6,
        "services/analysis/ages.py",
        "if is_old(at, now):\n        return dated(at)",
        "if False:\n        return dated(at)",
        WORDS,
    ),
    Mutant(
        14,
        "services/store/standing.py",
        "**feed_told(f)",
        "**f",
        "tests/cli/test_json.py -k 'secret and status'",
    ),
    Mutant(
        14,
        "services/analysis/confidential.py",
        '"***" if is_secret(name) else _kept(value, [])',
        "value",
        "tests/analysis/test_confidential.py",
    ),
    Mutant(
        6,
        f"{SQL}/overview.sql",
        _ORDERED,
        _ORDERED.replace(" order by v.bucket", ""),
        "tests/stages/test_over_time.py -k whatever_the_plan",
    ),
    Mutant(
        6,
        "services/store/over_time.py",
        "expected, upper, state = verdicts.get(place, (None, None, None))",
        "expected, upper, state = list(verdicts.values())[place] if place < len(verdicts) else (None, None, None)",
        "tests/stages/test_over_time.py -k of_each_hour",
    ),
    Mutant(
        4,
        "services/store/trends.py",
        'if told["stale"]:',
        "if not told:",
        "tests/stages/test_steps.py",
    ),
    Mutant(
        16,
        f"{SQL}/suggestions.sql",
        "(g.langs ->> m.lang)::int desc nulls last, ",
        "",
        f"{SUGGEST} -k commonest_language",
    ),
    Mutant(
        15,
        f"{SQL}/labels.sql",
        "filter (where p.post_id is not null and a.unit_key is null)",
        "filter (where a.unit_key is null)",
        JUDGING,
    ),
    Mutant(17, "services/analysis/courses.py", '"escalated": "goes on"', '"escalated": "over"', COURSES),
    Mutant(17, "services/analysis/courses.py", 'if course(state) == "over":', "if not state:", COURSES),
    Mutant(17, "services/console/templates/parts.html", "state(alert.state | course)", "state(alert.state)", COURSES),
    Mutant(17, "services/cli/alerts.py", '"state": alert["state"]})', "})", COURSES),
    Mutant(9, f"{SQL}/deliveries.sql", " or d.carried_by in (select leader from named)", "", RETRY),
    Mutant(9, f"{SQL}/deliveries.sql", "reason = null, attempts = 0,", "reason = null,", RETRY),
    Mutant(
        9,
        f"{SQL}/deliveries.sql",
        "select coalesce(d.carried_by, d.delivery_id) as leader",
        "select d.delivery_id as leader",
        RETRY,
    ),
    Mutant(9, f"{SQL}/deliveries.sql", "r.unsubscribed_at is not null)", "false)", RETRY),
    Mutant(9, f"{SQL}/deliveries.sql", "where a.step = 'firing' and f.alert_id", "where false and f.alert_id", RETRY),
    Mutant(9, "services/store/retrying.py", "deliveries.untold_ends(connection)", "[]", RETRY),
]


def survives(mutant: Mutant, tree: Path) -> bool:
    """Plant the bug, run its tests, take it out again; whether they passed all the same."""
    path = tree / mutant.file
    text = path.read_text(encoding="utf-8")
    if text.count(mutant.good) < 1:
        raise SystemExit(f"{mutant.file} no longer holds: {mutant.good}")
    path.write_text(text.replace(mutant.good, mutant.bad, 1), encoding="utf-8")
    try:
        command = f"{sys.executable} -m pytest -q -x -p no:cacheprovider {mutant.tests}"
        done = subprocess.run(command, shell=True, cwd=tree, capture_output=True, text=True)
    finally:
        path.write_text(text, encoding="utf-8")
    if done.returncode not in (0, 1):
        raise SystemExit(f"{mutant.tests}: {done.stdout}{done.stderr}")
    return done.returncode == 0


def main() -> None:
    word = sys.argv[1] if len(sys.argv) > 1 else ""
    chosen = [m for m in MUTANTS if word in m.file or word in m.tests]
    survivors = 0
    with tempfile.TemporaryDirectory() as folder:
        tree = Path(folder) / "tree"
        shutil.copytree(".", tree, ignore=shutil.ignore_patterns(".venv", ".git", "__pycache__", ".*_cache"))
        for mutant in chosen:
            lives = survives(mutant, tree)
            survivors += lives
            print(
                f"{'SURVIVES' if lives else 'killed  '}  {mutant.invariant:2}  {mutant.file}: {mutant.good.strip()[:70]!r}"
            )
    print(f"{len(chosen) - survivors} of {len(chosen)} planted bugs were killed")
    sys.exit(bool(survivors))


if __name__ == "__main__":
    main()
