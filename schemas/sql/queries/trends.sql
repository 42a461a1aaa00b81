-- name: counts
-- Posts of frames ('*' is all posts) by hour, day or week, all together or narrowed: a row a frame, the places of its steps
-- in no order (0 begins at `since`). Units and authors as rollup counted them. What they stand on may have changed since:
-- `stale` are the steps to be counted by who asks, for they are few or more than a twentieth of them is new; the others are
-- told as of before the change.
select frame, array_agg(place) as places, array_agg(posts) as posts, array_agg(units) as units,
       array_agg(authors) as authors, array_agg(bucket) filter (where stale) as stale
from (
  select frame, bucket, ((date_part('epoch', bucket) - date_part('epoch', %(since)s::timestamptz))
                         / date_part('epoch', %(step)s::interval))::int as place,
         posts, coalesce(units, units_before, 0) as units, coalesce(authors, authors_before, 0) as authors,
         units is null and frame <> '*'
         and (posts <= %(at_once)s or units_before is null or abs(posts - posts_before) > posts / 20) as stale
  from trend_steps
  where version_id = %(version_id)s and frame = any(%(frames)s::text[]) and step = %(name)s
    and source = coalesce(%(source)s, '*') and lang = coalesce(%(lang)s, '*')
    and bucket >= %(since)s and bucket < %(until)s and posts <> 0) s
group by frame;

-- name: voices_of_steps
-- Units and authors of some steps of one frame, counted from what carries it; the places of steps as above.
select ((date_part('epoch', s.bucket) - date_part('epoch', %(since)s::timestamptz))
        / date_part('epoch', %(step)s::interval))::int as place, n.units::int as units, n.authors::int as authors
from unnest(%(stale)s::timestamptz[]) as s (bucket)
cross join lateral (
  select least(count(distinct c.unit_key), count(distinct c.author)) as units, count(distinct c.author) as authors
  from carried c
  where c.version_id = %(version_id)s and c.frame = %(frame)s
    and c.published_at >= s.bucket and c.published_at < s.bucket + %(step)s
    and (%(source)s::text is null or c.source = %(source)s) and (%(lang)s::text is null or c.lang = %(lang)s)) n;

-- name: voices_by_step
-- Units and authors of one frame by any step, over the whole of each.
select date_bin(%(step)s, published_at, timestamptz 'epoch') as at,
       least(count(distinct unit_key), count(distinct author))::int as units, count(distinct author)::int as authors
from carried
where version_id = %(version_id)s and frame = %(frame)s and published_at >= %(since)s and published_at < %(until)s
  and (%(source)s::text is null or source = %(source)s) and (%(lang)s::text is null or lang = %(lang)s)
group by 1;

-- name: trend_of_points
-- The same by any step and period, from the points themselves.
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

-- name: trends
-- Posts of all frames by hour, day or week, all together or narrowed: the places of the steps (0 begins at `since`), and of
-- each all posts before those of the frames. date_part counts in floats, extract in decimals, which takes longer than all
-- the rest.
select ((date_part('epoch', bucket) - date_part('epoch', %(since)s::timestamptz))
        / date_part('epoch', %(step)s::interval))::int as place, posts
from trend_rows
where version_id = %(version_id)s and step = %(name)s
  and source = coalesce(%(source)s, '*') and lang = coalesce(%(lang)s, '*')
  and bucket >= %(since)s and bucket < %(until)s
order by bucket;

-- name: trends_of_points
-- The same by any step, from the points themselves.
select frame, array_agg(place) as places, array_agg(posts) as posts
from (
  select frame, ((date_part('epoch', date_bin(%(step)s, bucket, timestamptz 'epoch'))
                  - date_part('epoch', %(since)s::timestamptz)) / date_part('epoch', %(step)s::interval))::int as place,
         sum(posts)::int as posts
  from trend_points
  where version_id = %(version_id)s and frame = any(%(frames)s::text[]) and bucket >= %(since)s and bucket < %(until)s
    and (%(source)s::text is null or source = %(source)s) and (%(lang)s::text is null or lang = %(lang)s)
  group by 1, 2) t
group by frame;

-- name: frame_windows
-- What is kept of a version's frames ('*' is all posts) for the hours before `until`.
select frame, posts, units, authors, before, changed, before_changed from frame_windows
where version_id = %(version_id)s and hours = %(hours)s and until = %(until)s;

-- name: posts_between
-- Posts of some frames ('*' is all posts) in a period: whole hours from their steps, the rest of both ends from points.
with period as (
  select first, greatest(date_bin('1 hour', %(until)s::timestamptz, timestamptz 'epoch'), first) as last
  from (select least(date_bin('1 hour', %(since)s::timestamptz + interval '1 hour' - interval '1 microsecond',
                              timestamptz 'epoch'), %(until)s::timestamptz) as first) t
)
select f.frame, coalesce(sum(t.posts), 0)::int as posts
from unnest(%(frames)s::text[]) as f (frame)
cross join period d
left join lateral (
  select posts from trend_steps s
  where s.version_id = %(version_id)s and s.frame = f.frame and s.step = '1h' and s.source = '*' and s.lang = '*'
    and s.bucket >= d.first and s.bucket < d.last
  union all
  select posts from trend_points p
  where p.version_id = %(version_id)s and p.frame = f.frame and p.bucket >= %(since)s and p.bucket < d.first
  union all
  select posts from trend_points p
  where p.version_id = %(version_id)s and p.frame = f.frame and p.bucket >= d.last and p.bucket < %(until)s) t on true
group by 1;

-- name: voices_between
-- Units and authors of some frames in a period, counted from what carries them.
select f.frame, v.units, v.authors
from unnest(%(frames)s::text[]) as f (frame)
cross join lateral (
  select least(count(distinct c.unit_key), count(distinct c.author))::int as units,
         count(distinct c.author)::int as authors
  from carried c
  where c.version_id = %(version_id)s and c.frame = f.frame
    and c.published_at >= %(since)s and c.published_at < %(until)s) v;

-- name: last_bucket
select max(bucket) as bucket from trend_points where version_id = %(version_id)s and frame = '*' and posts <> 0;

-- name: first_bucket
select min(bucket) as bucket from trend_points where version_id = %(version_id)s;
