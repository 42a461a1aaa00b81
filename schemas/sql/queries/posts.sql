-- name: ensure_post_partitions
select ensure_post_partitions(%(first_day)s, %(last_day)s) as made;

-- name: insert_posts
-- Key, post and queue row of every post whose identity is new; the rest is told apart by edited_posts.
with incoming as (
  select * from unnest(
    %(native_id)b::text[], %(text)b::text[], %(text_hash)b::bytea[], %(unit_key)b::bytea[], %(content_hash)b::bytea[],
    %(published_at)b::timestamptz[], %(time_quality)b::text[], %(url)b::text[], %(author)b::text[], %(lang)b::text[],
    %(repost_of)b::text[], %(publishers)b::text[]
  ) as t (native_id, text, text_hash, unit_key, content_hash, published_at, time_quality, url, author, lang, repost_of,
          publishers)
), keyed as (
  insert into post_keys (source, native_id, received_day, content_hash)
  select %(source)s, native_id, %(received_day)s, content_hash from incoming order by native_id
  on conflict (source, native_id) do nothing
  returning post_id, native_id
), stored as (
  insert into posts (received_day, post_id, feed_id, source, native_id, url, author, lang, text, text_hash, unit_key,
                     repost_of, publishers, published_at, time_quality, received_at)
  select %(received_day)s, k.post_id, %(feed_id)s, %(source)s, i.native_id, i.url, i.author, i.lang, i.text,
         i.text_hash, i.unit_key, i.repost_of, string_to_array(i.publishers, ' '), i.published_at, i.time_quality,
         %(received_at)s
  from incoming i join keyed k using (native_id)
), queued as (
  insert into queue (post_id, received_day, published_at, state, queued_at)
  select k.post_id, %(received_day)s, i.published_at, 'waiting', %(received_at)s
  from incoming i join keyed k using (native_id)
)
select count(*) as new from keyed;

-- name: edit_posts
-- Posts we have whose content changed: same row, next version, scored again.
with incoming as (
  select * from unnest(
    %(native_id)b::text[], %(text)b::text[], %(text_hash)b::bytea[], %(unit_key)b::bytea[], %(content_hash)b::bytea[],
    %(url)b::text[], %(publishers)b::text[]
  ) as t (native_id, text, text_hash, unit_key, content_hash, url, publishers)
), keyed as (
  update post_keys k set content_hash = i.content_hash, version = k.version + 1
  from incoming i
  where k.source = %(source)s and k.native_id = i.native_id and k.deleted_at is null
    and k.content_hash <> i.content_hash
  returning k.post_id, k.received_day, k.native_id, k.version
), kept as (
  insert into post_versions (post_id, version, text, url, replaced_at)
  select p.post_id, k.version - 1, p.text, p.url, %(received_at)s
  from keyed k join posts p on p.received_day = k.received_day and p.post_id = k.post_id
  on conflict do nothing
), changed as (
  update posts p set text = i.text, text_hash = i.text_hash, unit_key = i.unit_key, url = i.url,
                     publishers = string_to_array(i.publishers, ' ')
  from keyed k join incoming i using (native_id)
  where p.received_day = k.received_day and p.post_id = k.post_id
  returning p.post_id, p.received_day, p.published_at
), queued as (
  insert into queue (post_id, received_day, published_at, state, queued_at)
  select post_id, received_day, published_at, 'waiting', %(received_at)s from changed
  on conflict (post_id) do update set state = 'waiting', attempts = 0, reason = null, fence = queue.fence + 1,
                                      lease_until = null
)
select count(*) as edited from keyed;

-- name: delete_posts
-- Tombstones stay; texts go. Also for posts we never had, so that a late create cannot bring them, unless none can come.
with gone as (
  insert into post_keys (source, native_id, received_day, content_hash, version, deleted_at)
  select %(source)s, native_id, %(received_day)s, '', 0, %(now)s
  from (select distinct unnest(%(native_id)b::text[]) as native_id) t
  where not %(known_only)s::boolean
     or exists (select from post_keys k where k.source = %(source)s and k.native_id = t.native_id)
  order by native_id
  on conflict (source, native_id) do update set deleted_at = excluded.deleted_at, content_hash = ''
    where post_keys.deleted_at is null
  returning post_id, received_day
), erased as (
  delete from posts p using gone g where p.received_day = g.received_day and p.post_id = g.post_id
  returning p.post_id, p.text_hash
), unqueued as (
  delete from queue q using gone g where q.post_id = g.post_id
), forgotten as (
  delete from post_versions v using gone g where v.post_id = g.post_id
), noted as (
  insert into erasures (post_id, text_hash, erased_at) select post_id, text_hash, %(now)s from erased
  on conflict do nothing
)
select post_id from erased;

-- name: posts_of_author
-- The identities of an author's posts, some thousand at a time.
select native_id from posts
where source = %(source)s and author = %(author)s and author <> ''
order by received_day, post_id
limit %(limit)s;

-- name: deny_author
insert into denied_authors (source, author, denied_at) values (%(source)s, %(author)s, %(now)s) on conflict do nothing;

-- name: find_denied
select author from denied_authors where source = %(source)s and author = any(%(author)s::text[]);

-- name: unchecked_posts
-- Posts received on one day that nobody has looked for again since `before`; those that carry a frame first.
select p.native_id, p.url
from posts p join post_keys k on k.post_id = p.post_id
where p.received_day = %(day)s and p.source = %(source)s and k.deleted_at is null
  and (k.checked_at is null or k.checked_at < %(before)s)
  and (not %(carrying_only)s::boolean or exists (select from carried c where c.post_id = p.post_id))
order by not exists (select from carried c where c.post_id = p.post_id), p.post_id
limit %(limit)s;

-- name: mark_checked
update post_keys set checked_at = %(now)s where source = %(source)s and native_id = any(%(native_id)b::text[]);

-- name: unscore_posts
-- Take posts out of scores, frames and trends, under every codebook version: the −1 of each +1. A version that is being
-- forgotten has no sums any more.
with ids as (
  select unnest(%(post_id)b::bigint[]) as post_id
), unscored as (
  delete from scores s using ids where s.post_id = ids.post_id
  returning s.version_id, s.bucket, s.source, s.lang
), dropped as (
  delete from carried c using ids where c.post_id = ids.post_id
  returning c.version_id, c.frame, c.bucket, c.source, c.lang
)
insert into trend_deltas (version_id, frame, bucket, source, lang, posts)
select version_id, frame, bucket, source, lang, posts
from (select version_id, '*' as frame, bucket, source, lang, -count(*) as posts from unscored group by 1, 2, 3, 4, 5
      union all
      select version_id, frame, bucket, source, lang, -count(*) from dropped group by 1, 2, 3, 4, 5) t
join codebooks c using (version_id)
where c.kept;

-- name: days_received
-- The days on which posts of a period came in: the partitions that hold any of them.
select distinct received_day from published_days
where published_day >= (%(since)s::timestamptz at time zone 'UTC')::date
  and published_day <= (%(until)s::timestamptz at time zone 'UTC')::date;

-- name: newest_posts
-- Keys of posts, newest first; pages follow (published_at, post_id). `days` are the partitions to look into.
select p.received_day, p.post_id, p.published_at
from posts p
where p.received_day = any(%(days)s::date[])
  and p.published_at >= %(since)s::timestamptz and p.published_at < %(until)s::timestamptz
  and (%(source)s::text is null or p.source = %(source)s)
  and (%(lang)s::text is null or p.lang = %(lang)s)
  and (%(before)s::timestamptz is null or (p.published_at, p.post_id) < (%(before)s, %(before_id)s::bigint))
order by p.published_at desc, p.post_id desc
limit %(limit)s;

-- name: newest_posts_that_say
-- The same of posts with some words. What matches is found first, then put in order.
select m.received_day, m.post_id, m.published_at
from posts_saying(%(days)s::date[], %(since)s, %(until)s, %(q)s) m
where (%(source)s::text is null or m.source = %(source)s)
  and (%(lang)s::text is null or m.lang = %(lang)s)
  and (%(before)s::timestamptz is null or (m.published_at, m.post_id) < (%(before)s, %(before_id)s::bigint))
order by m.published_at desc, m.post_id desc
limit %(limit)s;

-- name: newest_carriers_that_say
-- The same of posts that carry a frame: words, frame and days are found in one index. How many that gives nobody can tell
-- the planner, so it is made to look each of them up among the carriers and not to read all of these.
select k.received_day, m.post_id, m.published_at
from (
  select w.post_id, w.published_at
  from carrier_words w cross join lateral (
    select c.source, c.lang, c.stance from carried c
    where c.version_id = %(version_id)s and c.frame = %(frame)s and c.published_at = w.published_at
      and c.post_id = w.post_id
    limit 1) c
  where w.words @@ carriers_saying(%(version_id)s, %(frame)s, %(since)s, %(until)s, %(q)s)
    and (%(stance)s::text is null or c.stance = %(stance)s)
    and (%(source)s::text is null or c.source = %(source)s)
    and (%(lang)s::text is null or c.lang = %(lang)s)
    and w.published_at >= %(since)s::timestamptz and w.published_at < %(until)s::timestamptz
    and (%(before)s::timestamptz is null or (w.published_at, w.post_id) < (%(before)s, %(before_id)s::bigint))
  order by w.published_at desc, w.post_id desc
  limit %(limit)s
) m
join post_keys k on k.post_id = m.post_id
order by m.published_at desc, m.post_id desc;

-- name: span_of_carriers
-- From when until when a frame is carried in a period.
select min(c.published_at) as first, max(c.published_at) as last from carried c
where c.version_id = %(version_id)s and c.frame = %(frame)s
  and c.published_at >= %(since)s::timestamptz and c.published_at < %(until)s::timestamptz;

-- name: newest_carriers
-- Where posts that carry a frame stand, newest first; told from an index alone.
select c.post_id, c.published_at from carried c
where c.version_id = %(version_id)s and c.frame = %(frame)s
  and (%(stance)s::text is null or c.stance = %(stance)s)
  and (%(source)s::text is null or c.source = %(source)s)
  and (%(lang)s::text is null or c.lang = %(lang)s)
  and c.published_at >= %(since)s::timestamptz and c.published_at < %(until)s::timestamptz
  and (%(before)s::timestamptz is null or (c.published_at, c.post_id) < (%(before)s, %(before_id)s::bigint))
order by c.published_at desc, c.post_id desc
limit %(limit)s;

-- name: keys_of_posts
-- The same with the days they came in on.
select k.received_day, k.post_id, c.published_at
from unnest(%(post_id)s::bigint[], %(published_at)s::timestamptz[]) as c (post_id, published_at)
join post_keys k on k.post_id = c.post_id
order by c.published_at desc, c.post_id desc;

-- name: newer_posts
-- Where posts newer than one stand, nearest first: to page back.
select p.published_at, p.post_id from posts p
where (%(source)s::text is null or p.source = %(source)s)
  and (%(lang)s::text is null or p.lang = %(lang)s)
  and p.received_day >= ((%(after)s::timestamptz - interval '1 day') at time zone 'UTC')::date
  and p.published_at >= %(after)s and (p.published_at, p.post_id) > (%(after)s, %(after_id)s::bigint)
order by p.published_at, p.post_id
limit %(limit)s;

-- name: newer_posts_of_frame
-- The same of posts that carry a frame.
select c.published_at, c.post_id from carried c
where c.version_id = %(version_id)s and c.frame = %(frame)s
  and (%(source)s::text is null or c.source = %(source)s)
  and (%(lang)s::text is null or c.lang = %(lang)s)
  and c.published_at >= %(after)s and (c.published_at, c.post_id) > (%(after)s, %(after_id)s::bigint)
order by c.published_at, c.post_id
limit %(limit)s;

-- name: posts_by_key
-- Posts as lists tell them, newest first, with their frames under a version. Naming the different days once more lets the
-- planner leave all other partitions out.
select p.post_id, p.source, p.native_id, p.url, p.author, p.lang, p.text, p.published_at, p.time_quality,
       p.received_at, s.uncertain, coalesce(o.frames, '{}') as frames, o.stances
from unnest(%(days)s::date[], %(post_id)s::bigint[]) as c (received_day, post_id)
join posts p on p.received_day = c.received_day and p.post_id = c.post_id and p.received_day = any(%(partitions)s::date[])
left join scores s on s.version_id = %(version_id)s and s.post_id = c.post_id
left join lateral (
  select jsonb_object_agg(o.frame, round(o.probability::numeric, 4)) as frames,
         jsonb_object_agg(o.frame, o.stance) filter (where o.stance is not null) as stances
  from carried o where o.version_id = %(version_id)s and o.post_id = c.post_id) o on true
order by p.published_at desc, p.post_id desc;

-- name: read_post
-- One post as list_posts tells it, and what scored it under a codebook version (null when nothing did).
select p.post_id, p.source, p.native_id, p.url, p.author, p.lang, p.text, p.text_hash, p.published_at, p.time_quality,
       p.received_at, s.uncertain, s.model_id,
       (select coalesce(jsonb_object_agg(c.frame, round(c.probability::numeric, 4)), '{}')
        from carried c where c.version_id = %(version_id)s and c.published_at = p.published_at and c.post_id = p.post_id
       ) as frames,
       (select jsonb_object_agg(c.frame, c.stance) from carried c
        where c.version_id = %(version_id)s and c.published_at = p.published_at and c.post_id = p.post_id
          and c.stance is not null) as stances
from post_keys k
join posts p on p.received_day = k.received_day and p.post_id = k.post_id
left join scores s on s.version_id = %(version_id)s and s.post_id = p.post_id
where k.post_id = %(post_id)s;
