-- name: claim_watches
-- Frames whose next bucket may have closed, and those whose version is new, so that its past is to be judged.
with due as (
  select version_id, frame from watches w
  join codebooks using (version_id)
  where state = 'current' and exists (select from trend_points t where t.version_id = w.version_id)
    and (lease_until is null or lease_until < clock_timestamp())
    and (evaluated_until is null or evaluated_until < %(until)s or past_due)
  order by version_id, frame
  limit %(limit)s
  for update of w skip locked
)
update watches w set lease_until = clock_timestamp() + %(lease)s, fence = w.fence + 1
from due where w.version_id = due.version_id and w.frame = due.frame
returning w.version_id, w.frame, w.evaluated_until, w.past_due, w.fence;

-- name: settle_watch
update watches
set evaluated_until = greatest(evaluated_until, %(until)s::timestamptz), past_due = false, lease_until = null
where version_id = %(version_id)s and frame = %(frame)s and fence = %(fence)s and lease_until is not null
returning frame;

-- name: add_verdicts
insert into verdicts (version_id, frame, bucket, posts, units, expected, upper, probability, coverage, state, alpha,
                      learned_s, learned_from, spike, rise)
select %(version_id)s, %(frame)s, * from unnest(
  %(bucket)s::timestamptz[], %(posts)s::int[], %(units)s::int[], %(expected)s::float8[], %(upper)s::float8[],
  %(probability)s::float8[], %(coverage)s::float8[], %(state)s::text[], %(alpha)s::float8[],
  %(learned_s)s::float8[], %(learned_from)s::timestamptz[], %(spike)s::float8[], %(rise)s::float8[])
on conflict (version_id, frame, bucket) do nothing;

-- name: list_verdicts
select bucket, posts, units, expected, upper, probability, coverage, state, alpha as threshold,
       learned_from as baseline_from, learned_s / 86400 as baseline_days
from verdicts
where version_id = %(version_id)s and frame = %(frame)s and bucket >= %(since)s and bucket < %(until)s
order by bucket;

-- name: judged_series
-- What a chart tells of what was judged, as lists: the places of hours in no order (0 begins at `since`).
select coalesce(array_agg(((date_part('epoch', bucket) - date_part('epoch', %(since)s::timestamptz))
                           / date_part('epoch', %(step)s::interval))::int), '{}') as places,
       coalesce(array_agg(expected), '{}') as expected, coalesce(array_agg(upper), '{}') as upper,
       coalesce(array_agg(state), '{}') as state
from verdicts
where version_id = %(version_id)s and frame = %(frame)s and bucket >= %(since)s and bucket < %(until)s;

-- name: last_verdicts
select f.version_id, f.frame, v.bucket, v.posts, v.units, v.expected, v.upper, v.probability, v.coverage, v.state,
       v.alpha as threshold, v.learned_from as baseline_from, v.learned_s / 86400 as baseline_days
from frames f
join codebooks c using (version_id)
cross join lateral (
  select * from verdicts v where v.version_id = f.version_id and v.frame = f.frame order by v.bucket desc limit 1) v
where c.state = 'current'
order by f.version_id, f.frame;

-- name: open_alert
select a.alert_id, a.kind, a.onset, a.last_bucket, a.evidence from alerts a
where a.version_id in (select o.version_id from codebooks o join codebooks n using (codebook)
                       where n.version_id = %(version_id)s)
  and a.frame = %(frame)s and a.rule = %(rule)s and a.kind = %(kind)s and a.state <> 'resolved'
order by a.onset desc limit 1;

-- name: left_behind
-- Alerts that no bucket can end any more: their frame left the codebook, or all that is looked at lies after them.
select a.alert_id, a.last_bucket, w.frame is null as gone
from alerts a
join codebooks o on o.version_id = a.version_id
left join codebooks c on c.codebook = o.codebook and c.state = 'current'
left join watches w on w.version_id = c.version_id and w.frame = a.frame
where a.state <> 'resolved' and (w.frame is null or w.evaluated_until > a.last_bucket + %(horizon)s::interval);

-- name: orphans
-- Alerts that go on in a frame by rules that no longer decide for it.
select a.alert_id, a.last_bucket from alerts a
where a.version_id in (select o.version_id from codebooks o join codebooks n using (codebook)
                       where n.version_id = %(version_id)s)
  and a.frame = %(frame)s and a.state <> 'resolved' and a.rule <> all(%(rules)s::text[])
order by a.alert_id;

-- name: open_outage
select alert_id, onset, evidence from alerts
where kind = 'outage' and feed_id = %(feed_id)s and state <> 'resolved' limit 1;

-- name: open_gap
select alert_id, onset, last_bucket from alerts where kind = 'gap' and state <> 'resolved' order by onset limit 1;

-- name: gap_told
-- A gap that was raised and overlaps this stretch: part of it may have been heard since.
select alert_id from alerts where kind = 'gap' and onset < %(until)s and last_bucket >= %(since)s limit 1;

-- name: raise_alert
-- No row comes back when this alert was raised before: its id is for ever.
insert into alerts (alert_id, kind, rule, version_id, frame, feed_id, state, onset, last_bucket, raised_at, evidence)
values (%(alert_id)s, %(kind)s, %(rule)s, %(version_id)s, %(frame)s, %(feed_id)s, 'firing', %(onset)s, %(last_bucket)s,
        %(now)s, %(evidence)s)
on conflict (alert_id) do nothing
returning alert_id;

-- name: extend_alert
update alerts set last_bucket = greatest(last_bucket, %(last_bucket)s)
where alert_id = %(alert_id)s and state <> 'resolved' returning alert_id;

-- name: resolve_alert
update alerts set state = 'resolved', resolved_at = %(now)s, last_bucket = greatest(last_bucket, %(last_bucket)s),
       moved_at = %(now)s, moved_by = %(by)s, moved_why = %(why)s
where alert_id = %(alert_id)s and state <> 'resolved' returning alert_id, kind, evidence;

-- name: list_alerts
select a.alert_id, a.kind, a.rule, a.frame, a.state, a.onset, a.last_bucket, a.raised_at, a.resolved_at,
       a.acked_at, a.snoozed_until,
       a.evidence -> 'frame' ->> 'title' as title, a.evidence ->> 'reason' as reason,
       c.codebook, c.version
from alerts a left join codebooks c using (version_id)
where (%(frame)s::text is null or a.frame = %(frame)s)
  and (%(kind)s::text is null or a.kind = %(kind)s)
  and (%(over)s::boolean is null or (a.state = 'resolved') = %(over)s)
  and (%(before)s::timestamptz is null or (a.raised_at, a.alert_id) < (%(before)s, %(before_id)s::text))
order by a.raised_at desc, a.alert_id desc
limit %(limit)s;

-- name: read_alert
select a.alert_id, a.kind, a.rule, a.frame, a.state, a.onset, a.last_bucket, a.raised_at, a.resolved_at, a.evidence,
       a.version_id, a.feed_id, a.acked_at, a.snoozed_until, a.standing
from alerts a where a.alert_id = %(alert_id)s;

-- name: alert_counts
-- What stands behind a burst: posts, texts told apart, voices, authors, publishers by registrable domain.
-- `limit 1` keeps the look-ups look-ups: joined freely, the planner reads every partition of posts there is. `days` (here
-- and below) are those on which posts of the period came in: of the other partitions the planner need not think.
with held as materialized (
  select c.unit_key, c.author, p.publishers
  from carried c
  cross join lateral (select received_day from post_keys where post_id = c.post_id limit 1) k
  cross join lateral (
    select publishers from posts
    where received_day = k.received_day and received_day = any(%(days)s::date[]) and post_id = c.post_id limit 1) p
  where c.version_id = %(version_id)s and c.frame = %(frame)s
    and c.published_at >= %(since)s and c.published_at < %(until)s
    and (%(unit_key)s::bytea is null or c.unit_key = %(unit_key)s::bytea)
)
select count(*)::int as posts, count(distinct unit_key)::int as texts,
       least(count(distinct unit_key), count(distinct author))::int as units, count(distinct author)::int as authors,
       (select count(distinct name) from held, unnest(publishers) as name)::int as publishers
from held;

-- name: alert_sources
select source, count(*)::int as posts from carried
where version_id = %(version_id)s and frame = %(frame)s and published_at >= %(since)s and published_at < %(until)s
  and (%(unit_key)s::bytea is null or unit_key = %(unit_key)s::bytea)
group by 1 order by 2 desc, 1 limit 10;

-- name: alert_languages
select lang, count(*)::int as posts from carried
where version_id = %(version_id)s and frame = %(frame)s and published_at >= %(since)s and published_at < %(until)s
  and (%(unit_key)s::bytea is null or unit_key = %(unit_key)s::bytea)
group by 1 order by 2 desc, 1 limit 10;

-- name: alert_links
-- The addresses named most often in the texts.
select link as url, count(*)::int as posts
from (
  select distinct c.post_id, (regexp_matches(p.text, 'https?://[^\s"''<>]+', 'g'))[1] as link
  from carried c
  cross join lateral (select received_day from post_keys where post_id = c.post_id limit 1) k
  cross join lateral (
    select text from posts
    where received_day = k.received_day and received_day = any(%(days)s::date[]) and post_id = c.post_id limit 1) p
  where c.version_id = %(version_id)s and c.frame = %(frame)s
    and c.published_at >= %(since)s and c.published_at < %(until)s
    and (%(unit_key)s::bytea is null or c.unit_key = %(unit_key)s::bytea)) t
group by 1 order by 2 desc, 1 limit 5;

-- name: first_carriers
-- The first voices: the earliest post of each author, of those that carry the frame clearly; where none does, of all.
-- Chosen before their texts are read.
with held as materialized (
  select post_id, published_at, source, lang, author, probability as score,
         probability >= %(clear)s or not bool_or(probability >= %(clear)s) over () as quotable
  from carried
  where version_id = %(version_id)s and frame = %(frame)s
    and published_at >= %(since)s and published_at < %(until)s
    and (%(unit_key)s::bytea is null or unit_key = %(unit_key)s::bytea)
), chosen as materialized (
  select * from (
    select distinct on (author) post_id, published_at, source, lang, author, score
    from held where quotable order by author, published_at, post_id) t
  order by published_at, post_id limit 5
)
select c.post_id, c.published_at, c.source, c.lang, c.author, p.url, p.text, c.score
from chosen c
join post_keys k using (post_id)
join posts p on p.received_day = k.received_day and p.received_day = any(%(days)s::date[]) and p.post_id = c.post_id
order by c.published_at, c.post_id;

-- name: typical_posts
-- The surest posts, one a text. Chosen before their texts are read.
with chosen as materialized (
  select * from (
    select distinct on (unit_key) post_id, published_at, source, lang, author, probability as score
    from carried
    where version_id = %(version_id)s and frame = %(frame)s
      and published_at >= %(since)s and published_at < %(until)s
      and (%(unit_key)s::bytea is null or unit_key = %(unit_key)s::bytea)
    order by unit_key, probability desc, post_id) t
  order by score desc, post_id limit 5
)
select c.post_id, c.published_at, c.source, c.lang, c.author, p.url, p.text, c.score
from chosen c
join post_keys k using (post_id)
join posts p on p.received_day = k.received_day and p.received_day = any(%(days)s::date[]) and p.post_id = c.post_id
order by c.score desc, c.post_id;

-- name: waves_past
-- Coordinated alerts of a frame whose text nobody has posted since then.
select alert_id, onset, last_bucket, rule from alerts
where kind = 'coordinated' and frame = %(frame)s and state <> 'resolved' and last_bucket < %(before)s
order by alert_id;

-- name: failing_feeds
-- Feeds that have failed for longer than patience allows, senders that have fallen silent (they carry a warning), and
-- those whose outage is open.
select f.feed_id, f.source, f.address, f.title, f.mode, f.failures, f.heard_until, f.last_reason, f.last_error,
       f.warning, f.added_at, d.failing
from feeds f
cross join lateral (
  select f.state = 'enabled' and (f.failures >= %(failures)s or (f.mode = 'push' and f.warning is not null)) as failing
) d
where d.failing
   or exists (select from alerts a where a.kind = 'outage' and a.feed_id = f.feed_id and a.state <> 'resolved')
order by f.feed_id;

-- name: watch_positions
select w.version_id, w.frame, w.evaluated_until from watches w join codebooks c using (version_id)
where c.state = 'current' order by w.version_id, w.frame;
