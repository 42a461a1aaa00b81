-- name: find_reader
select reader_id, body from stance_readers where model_id = %(model_id)s and lesson = %(lesson)s;

-- name: add_reader
insert into stance_readers (model_id, lesson, body, learned_at)
values (%(model_id)s, %(lesson)s, %(body)s, %(now)s)
on conflict (model_id, lesson) do nothing;

-- name: any_reader
select exists (select from stance_readers) as found;

-- name: unread_carriers
-- Carriers whose stance nobody has read, newest first, with what it is read from.
select c.version_id, c.frame, c.published_at, c.post_id, p.text, e.vector,
       (select count(*) from carried o where o.post_id = c.post_id and o.version_id = c.version_id)::int as frames
from carried c
join post_keys k on k.post_id = c.post_id
join posts p on p.received_day = k.received_day and p.post_id = c.post_id
join embeddings e on e.model_id = %(model_id)s and e.text_hash = p.text_hash
where c.reader_id is null
order by c.post_id desc, c.version_id, c.frame
limit %(limit)s;

-- name: settle_stances
-- What others are settling is theirs; what was scored again meanwhile has no row of that key, or is read again.
with read as (
  select * from unnest(%(version_id)b::int[], %(frame)b::text[], %(published_at)b::timestamptz[],
                       %(post_id)b::bigint[], %(stance)b::text[])
    as t (version_id, frame, published_at, post_id, stance)
), ours as (
  select c.ctid as place, r.stance
  from carried c
  join read r on (c.version_id, c.frame, c.published_at, c.post_id) = (r.version_id, r.frame, r.published_at, r.post_id)
  where c.reader_id is null
  for update of c skip locked
), settled as (
  update carried c set stance = o.stance, reader_id = %(reader_id)s from ours o where c.ctid = o.place returning 1
)
select count(*)::int as settled from settled;

-- name: stance_counts
-- Posts and independent voices of a frame in a period by stance; carriers that nobody read are `unread`.
select coalesce(stance, 'unread') as stance, count(*)::int as posts,
       least(count(distinct unit_key), count(distinct author))::int as units
from carried
where version_id = %(version_id)s and frame = %(frame)s and published_at >= %(since)s and published_at < %(until)s
  and (%(unit_key)s::bytea is null or unit_key = %(unit_key)s::bytea)
group by 1;

-- name: fold_stances
-- Take appended stances and add them to their rows, as fold_deltas does; those of versions kept no longer are forgotten.
with taken as (
  delete from stance_deltas where ctid = any(array(
    select ctid from stance_deltas limit %(limit)s for update skip locked))
  returning version_id, frame, bucket, source, lang, stance, posts
), moved as (
  select t.version_id, t.frame, t.stance, w.step, date_bin(w.width, t.bucket, timestamptz 'epoch') as bucket,
         coalesce(t.source, '*') as source, coalesce(t.lang, '*') as lang, sum(t.posts)::int as posts
  from taken t join codebooks b using (version_id)
  cross join (values ('1h', interval '1 hour'), ('1d', interval '1 day'), ('1w', interval '7 days')) as w (step, width)
  where b.kept
  group by t.version_id, t.frame, t.stance, w.step, date_bin(w.width, t.bucket, timestamptz 'epoch'),
           grouping sets ((), (t.source), (t.lang), (t.source, t.lang))
), folded as (
  insert into stance_rows (version_id, step, bucket, source, lang, posts)
  select m.version_id, m.step, m.bucket, m.source, m.lang,
         spread_posts(array_agg(4 * (p.place - 2) + array_position(%(stances)s::text[], m.stance)), array_agg(m.posts),
                      4 * (max(p.width) - 1))
  from moved m join trend_places p using (version_id, frame)
  group by m.version_id, m.step, m.bucket, m.source, m.lang
  order by 1, 2, 4, 5, 3
  on conflict (version_id, step, source, lang, bucket) do update set posts = add_posts(stance_rows.posts, excluded.posts)
)
select count(*)::int as deltas from taken;

-- name: stance_trend
-- Posts of one frame by hour, day or week and stance, as far as it was read.
select r.bucket as at, r.posts[4 * f.position + 1 : 4 * f.position + 4] as posts
from frames f join stance_rows r using (version_id)
where f.version_id = %(version_id)s and f.frame = %(frame)s and r.step = %(name)s
  and r.source = coalesce(%(source)s, '*') and r.lang = coalesce(%(lang)s, '*')
  and r.bucket >= %(since)s and r.bucket < %(until)s
order by 1;

-- name: stance_trends
-- The same of all frames, four numbers each.
select bucket as at, posts from stance_rows
where version_id = %(version_id)s and step = %(name)s
  and source = coalesce(%(source)s, '*') and lang = coalesce(%(lang)s, '*')
  and bucket >= %(since)s and bucket < %(until)s
order by 1;

-- name: stance_trends_of_carriers
-- The same by any step, from the carriers themselves: frame, at, stance, posts.
select frame, date_bin(%(step)s, published_at, timestamptz 'epoch') as at, stance, count(*)::int as posts
from carried
where version_id = %(version_id)s and frame = any(%(frames)s::text[])
  and published_at >= %(since)s and published_at < %(until)s
  and (%(source)s::text is null or source = %(source)s) and (%(lang)s::text is null or lang = %(lang)s)
  and stance is not null
group by 1, 2, 3;

-- name: stance_voices
-- Units and authors of the carriers that stand in one way, by step.
select date_bin(%(step)s, published_at, timestamptz 'epoch') as at,
       least(count(distinct unit_key), count(distinct author))::int as units, count(distinct author)::int as authors
from carried
where version_id = %(version_id)s and frame = %(frame)s and stance = %(stance)s
  and published_at >= %(since)s and published_at < %(until)s
  and (%(source)s::text is null or source = %(source)s) and (%(lang)s::text is null or lang = %(lang)s)
group by 1;

-- name: frame_stances
-- Posts and independent voices of several frames in a period, by stance, as far as it was read.
select frame, stance, count(*)::int as posts, least(count(distinct unit_key), count(distinct author))::int as units
from carried
where version_id = %(version_id)s and frame = any(%(frames)s::text[])
  and published_at >= %(since)s and published_at < %(until)s and stance is not null
group by 1, 2 order by 1, 2;
