-- name: fold_deltas
-- Take appended deltas and add them to their points in key order (one statement: no deadlocks). One folder at a
-- time holds the lock below; what others append meanwhile waits for the next fold.
with taken as (
  delete from trend_deltas where ctid = any(array(
    select ctid from trend_deltas limit %(limit)s for update skip locked))
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

-- name: drop_empty_points
delete from trend_points p
using unnest(%(version_id)s::int[], %(frame)s::text[], %(bucket)s::timestamptz[], %(source)s::text[], %(lang)s::text[])
  as t (version_id, frame, bucket, source, lang)
where (p.version_id, p.frame, p.bucket, p.source, p.lang) = (t.version_id, t.frame, t.bucket, t.source, t.lang)
  and p.posts = 0;

-- name: pending_delta
select min(bucket) as bucket from trend_deltas where version_id = %(version_id)s and bucket >= %(since)s;

-- name: trend
-- Posts of one frame (or '*') by step; units and authors counted over the whole step.
with points as (
  select date_bin(%(step)s, bucket, timestamptz 'epoch') as at, sum(posts) as posts
  from trend_points
  where version_id = %(version_id)s and frame = %(frame)s and bucket >= %(since)s and bucket < %(until)s
    and (%(source)s::text is null or source = %(source)s) and (%(lang)s::text is null or lang = %(lang)s)
  group by 1
), voices as (
  select date_bin(%(step)s, published_at, timestamptz 'epoch') as at,
         least(count(distinct unit_key), count(distinct author)) as units, count(distinct author) as authors
  from carried
  where version_id = %(version_id)s and frame = %(frame)s and published_at >= %(since)s and published_at < %(until)s
    and (%(source)s::text is null or source = %(source)s) and (%(lang)s::text is null or lang = %(lang)s)
  group by 1
)
select p.at, p.posts::int as posts, coalesce(v.units, 0)::int as units, coalesce(v.authors, 0)::int as authors
from points p left join voices v using (at) order by p.at;

-- name: frame_totals
-- Posts, units and authors of every frame in a period.
select f.frame, f.title, coalesce(t.posts, 0)::int as posts, coalesce(v.units, 0)::int as units,
       coalesce(v.authors, 0)::int as authors
from frames f
left join (
  select frame, sum(posts) as posts from trend_points
  where version_id = %(version_id)s and bucket >= %(since)s and bucket < %(until)s group by 1) t using (frame)
left join (
  select frame, least(count(distinct unit_key), count(distinct author)) as units, count(distinct author) as authors
  from carried
  where version_id = %(version_id)s and published_at >= %(since)s and published_at < %(until)s group by 1) v
  using (frame)
where f.version_id = %(version_id)s order by f.position;

-- name: posts_scored
select coalesce(sum(posts), 0)::int as posts from trend_points
where version_id = %(version_id)s and frame = '*' and bucket >= %(since)s and bucket < %(until)s;

-- name: first_bucket
select min(bucket) as bucket from trend_points where version_id = %(version_id)s;
