-- name: fold_deltas
-- Take appended deltas and add them to their points in key order (one statement: no deadlocks). One folder at a
-- time holds the lock below; what others append meanwhile waits for the next fold. Those of versions in `but` stay, and
-- those of versions kept no longer are upkeep's.
with taken as (
  delete from trend_deltas where ctid = any(array(
    select ctid from trend_deltas
    where version_id <> all(%(but)s::int[]) and version_id not in (select version_id from codebooks where not kept)
    limit %(limit)s for update skip locked))
  returning version_id, frame, bucket, source, lang, posts
), summed as (
  select version_id, frame, bucket, source, lang, sum(posts)::int as posts, count(*) as deltas
  from taken group by 1, 2, 3, 4, 5
), folded as (
  insert into trend_points (version_id, frame, bucket, source, lang, posts, units, authors)
  select version_id, frame, bucket, source, lang, posts, 0, 0 from summed order by 1, 2, 3, 4, 5
  on conflict (version_id, frame, bucket, source, lang) do update set posts = trend_points.posts + excluded.posts
)
select version_id, frame, bucket, source, lang, deltas from summed;

-- name: unbuilt_points
-- Versions being built that have no point yet: theirs are made at once when every post is scored.
select version_id from codebooks c
where state = 'building' and not exists (select from trend_points p where p.version_id = c.version_id);

-- name: build_points
-- All points of a version from what is scored, in place of the deltas appended until now. One statement, one snapshot:
-- what is settled meanwhile keeps its deltas.
with folded as (
  delete from trend_deltas where version_id = %(version_id)s
)
insert into trend_points (version_id, frame, bucket, source, lang, posts, units, authors)
select version_id, '*', bucket, source, lang, count(*), 0, 0 from scores
where version_id = %(version_id)s group by 1, 2, 3, 4, 5
union all
select version_id, frame, bucket, source, lang, count(*), least(count(distinct unit_key), count(distinct author)),
       count(distinct author)
from carried where version_id = %(version_id)s group by 1, 2, 3, 4, 5;

-- name: build_steps
-- All steps of a version from its points, each from the finer one: a third of the work of following them one by one.
-- A version that had points once may have steps of zero posts left.
with hours as materialized (
  select frame, date_bin('1 hour', bucket, timestamptz 'epoch') as bucket, source, lang, sum(posts)::int as posts
  from trend_points where version_id = %(version_id)s group by 1, 2, 3, 4
), days as materialized (
  select frame, date_bin('1 day', bucket, timestamptz 'epoch') as bucket, source, lang, sum(posts)::int as posts
  from hours group by 1, 2, 3, 4
), weeks as (
  select frame, date_bin('7 days', bucket, timestamptz 'epoch') as bucket, source, lang, sum(posts)::int as posts
  from days group by 1, 2, 3, 4
)
insert into trend_steps (version_id, frame, step, bucket, source, lang, posts)
select %(version_id)s, frame, step, bucket, coalesce(source, '*'), coalesce(lang, '*'), sum(posts)
from (select '1h' as step, hours.* from hours union all select '1d', days.* from days
      union all select '1w', weeks.* from weeks) every
group by frame, step, bucket, grouping sets ((), (source), (lang), (source, lang))
on conflict (version_id, frame, step, source, lang, bucket) do update
  set posts = excluded.posts, units = null, authors = null, posts_before = null,
      units_before = null, authors_before = null;

-- name: build_rows
-- The same of all frames side by side, from the steps.
select build_trend_rows(%(version_id)s);

-- name: without_timeout
-- Until the transaction ends, statements may take as long as they need.
set local statement_timeout = 0;

-- name: lock_fold
select pg_try_advisory_xact_lock(hashtext('framewatch.fold')) as locked;

-- name: recount_points
-- Units and authors are not additive, so touched points are counted again from what carries the frame.
-- Independent voices are at most the distinct texts and at most the distinct authors: the smaller of the two.
with touched as (
  select * from unnest(%(version_id)s::int[], %(frame)s::text[], %(bucket)s::timestamptz[], %(source)s::text[],
                       %(lang)s::text[]) as t (version_id, frame, bucket, source, lang)
), counted as (
  -- Lateral, so that each point reads its own five minutes of the index, whatever the planner knows of the table.
  select t.*, n.units, n.authors
  from touched t
  cross join lateral (
    select least(count(distinct c.unit_key), count(distinct c.author)) as units, count(distinct c.author) as authors
    from carried c
    where c.version_id = t.version_id and c.frame = t.frame
      and c.published_at >= t.bucket and c.published_at < t.bucket + interval '5 minutes'
      and c.source = t.source and c.lang = t.lang) n
  where t.frame <> '*'
)
update trend_points p set units = n.units, authors = n.authors
from counted n
where (p.version_id, p.frame, p.bucket, p.source, p.lang) = (n.version_id, n.frame, n.bucket, n.source, n.lang);

-- name: say_recounting
-- Until the transaction ends or it is said otherwise: points change their units and authors only.
select set_config('framewatch.recounting', %(said)s, true);

-- name: drop_empty_points
delete from trend_points p
using unnest(%(version_id)s::int[], %(frame)s::text[], %(bucket)s::timestamptz[], %(source)s::text[], %(lang)s::text[])
  as t (version_id, frame, bucket, source, lang)
where (p.version_id, p.frame, p.bucket, p.source, p.lang) = (t.version_id, t.frame, t.bucket, t.source, t.lang)
  and p.posts = 0;

-- name: pending_delta
select min(bucket) as bucket from trend_deltas where version_id = %(version_id)s and bucket >= %(since)s;

-- name: uncounted_steps
-- Steps whose units and authors have to be counted again, oldest first: those that are over, and of those that go on the
-- ones with many posts, from time to time (a two thousandth of the step).
select s.version_id, s.frame, s.step, s.bucket
from trend_steps s
join (values ('1h', interval '1 hour'), ('1d', interval '1 day'), ('1w', interval '7 days')) as w (step, width) using (step)
where s.units is null and s.frame <> '*' and s.source = '*' and s.lang = '*'
  and (s.bucket + w.width <= %(before)s
       or (s.posts > %(at_once)s
           and (s.counted_at is null or s.counted_at + greatest(w.width / 2000, interval '15 seconds') <= %(now)s)))
order by s.bucket
limit %(limit)s;

-- name: count_steps
-- Units and authors of all rows of some steps, from what carries the frame; of rows without posts only the whole's.
with chosen as (
  select version_id, frame, step, bucket,
         case step when '1h' then interval '1 hour' when '1d' then interval '1 day' else interval '7 days' end as width
  from unnest(%(version_id)s::int[], %(frame)s::text[], %(step)s::text[], %(bucket)s::timestamptz[])
    as t (version_id, frame, step, bucket)
), counted as materialized (
  -- Once, whatever the planner knows of the tables: it may not be counted again for each row it is joined to.
  select h.version_id, h.frame, h.step, h.bucket, n.source, n.lang, n.units, n.authors
  from chosen h
  cross join lateral (
    select coalesce(c.source, '*') as source, coalesce(c.lang, '*') as lang,
           least(count(distinct c.unit_key), count(distinct c.author)) as units, count(distinct c.author) as authors
    from carried c
    where c.version_id = h.version_id and c.frame = h.frame
      and c.published_at >= h.bucket and c.published_at < h.bucket + h.width
    group by grouping sets ((), (c.source), (c.lang), (c.source, c.lang))) n
)
update trend_steps s set units = n.units, authors = n.authors, counted_at = %(now)s
from counted n
where s.version_id = n.version_id and s.frame = n.frame and s.step = n.step and s.source = n.source and s.lang = n.lang
  and s.bucket = n.bucket;

-- name: count_windows
-- Count the hours before `until` anew of every frame of the current codebooks whose row is of another `until`, or has
-- changed and was counted before `stale`.
with wanted as (
  select f.version_id, f.frame, h.hours, f.frame = '*' as whole, %(until)s::timestamptz - h.hours * interval '1 hour' as since
  from (select version_id, frame from frames union all select version_id, '*' from codebooks) f
  join codebooks c using (version_id)
  cross join unnest(%(hours)s::smallint[]) as h (hours)
  left join frame_windows w on w.version_id = f.version_id and w.frame = f.frame and w.hours = h.hours
  where c.state = 'current'
    and (w.until is distinct from %(until)s::timestamptz or ((w.changed or w.before_changed) and w.counted_at <= %(stale)s))
)
insert into frame_windows (version_id, frame, hours, until, posts, units, authors, before, changed, before_changed, counted_at)
select w.version_id, w.frame, w.hours, %(until)s, p.posts, v.units, v.authors, p.before, false, false, %(now)s
from wanted w
cross join lateral (
  select coalesce(sum(posts) filter (where bucket >= w.since), 0) as posts,
         coalesce(sum(posts) filter (where bucket < w.since), 0) as before
  from trend_points p
  where p.version_id = w.version_id and p.frame = w.frame
    and p.bucket >= w.since - w.hours * interval '1 hour' and p.bucket < %(until)s) p
cross join lateral (
  select least(count(distinct c.unit_key), count(distinct c.author)) as units, count(distinct c.author) as authors
  from carried c
  where not w.whole and c.version_id = w.version_id and c.frame = w.frame
    and c.published_at >= w.since and c.published_at < %(until)s) v
order by 1, 2, 3
on conflict (version_id, frame, hours) do update
  set until = excluded.until, posts = excluded.posts, units = excluded.units, authors = excluded.authors,
      before = excluded.before, changed = false, before_changed = false, counted_at = excluded.counted_at;

-- name: drop_windows
-- Nobody asks for those of codebooks that are not current.
delete from frame_windows w using codebooks c where c.version_id = w.version_id and c.state <> 'current';
