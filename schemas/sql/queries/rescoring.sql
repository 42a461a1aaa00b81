-- name: plan_ranges
-- Every stored post that has no score under the version yet, in ranges of at most `size` of a day.
insert into rescoring (version_id, received_day, first_id, last_id, posts, state)
select %(version_id)s, received_day, min(post_id), max(post_id), count(*), 'waiting'
from (
  select p.received_day, p.post_id, (row_number() over (partition by p.received_day order by p.post_id) - 1) / %(size)s as lot
  from posts p
  where not exists (select from scores s where s.version_id = %(version_id)s and s.post_id = p.post_id)) t
group by received_day, lot
returning posts;

-- name: forget_ranges
delete from rescoring where version_id = %(version_id)s;

-- name: claim_range
-- One range, leased to the caller.
with due as (
  select r.version_id, r.received_day, r.first_id
  from rescoring r join codebooks c using (version_id)
  where r.state = 'waiting' and c.state = 'building' and (r.lease_until is null or r.lease_until < clock_timestamp())
  order by 1, 2, 3 limit 1 for update of r skip locked
)
update rescoring r
set lease_until = clock_timestamp() + %(lease)s, fence = r.fence + 1, attempts = r.attempts + 1
from due d
where (r.version_id, r.received_day, r.first_id) = (d.version_id, d.received_day, d.first_id)
returning r.version_id, r.received_day, r.first_id, r.last_id, r.fence, r.attempts;

-- name: settle_range
-- The range is done, if it is still ours.
update rescoring set state = 'done', lease_until = null
where version_id = %(version_id)s and received_day = %(received_day)s and first_id = %(first_id)s
  and fence = %(fence)s and state = 'waiting' and lease_until is not null
returning first_id;

-- name: release_range
-- Give a range back at once (the work could not be done, through no fault of its posts).
update rescoring set lease_until = null, attempts = greatest(attempts - 1, 0)
where version_id = %(version_id)s and received_day = %(received_day)s and first_id = %(first_id)s
  and fence = %(fence)s and state = 'waiting';

-- name: posts_of_range
-- Those without a score under the version that do not wait in the queue, where they get one: ids (8 bytes, big-endian)
-- and text hashes behind one another.
select string_agg(int8send(p.post_id), ''::bytea) as post_ids, string_agg(p.text_hash, ''::bytea) as text_hashes
from posts p
where p.received_day = %(received_day)s and p.post_id between %(first_id)s and %(last_id)s
  and not exists (select from scores s where s.version_id = %(version_id)s and s.post_id = p.post_id
                  and s.post_id between %(first_id)s and %(last_id)s)
  and not exists (select from queue q where q.post_id = p.post_id and q.post_id between %(first_id)s and %(last_id)s);

-- name: vectors_of_range
-- What is stored of the range's distinct texts, behind one another; `counts`: bytes of each wording, 4 bytes big-endian.
-- By an array, so that each is looked up by its key, whatever the planner knows of the tables, and those of one page of
-- the index in one go.
select string_agg(e.text_hash, ''::bytea) as text_hashes, string_agg(e.vector, ''::bytea) as vectors,
       string_agg(e.wording, ''::bytea) as wordings, string_agg(int4send(length(e.wording)), ''::bytea) as counts
from embeddings e
where e.model_id = %(model_id)s and e.wording is not null and e.text_hash = any(array(
  select distinct text_hash from posts
  where received_day = %(received_day)s and post_id between %(first_id)s and %(last_id)s));

-- name: wordless_of_range
-- Texts of the range that have a vector and no wording yet.
select t.text_hash, t.text
from (select distinct on (text_hash) text_hash, text from posts
      where received_day = %(received_day)s and post_id between %(first_id)s and %(last_id)s order by text_hash) t
cross join lateral (
  select e.text_hash from embeddings e
  where e.model_id = %(model_id)s and e.text_hash = t.text_hash and e.wording is null limit 1) e;

-- name: make_staging
create temporary table rescored (post_id bigint, probabilities real[], uncertain smallint) on commit drop;

-- name: make_carrying
create temporary table rescored_frames (post_id bigint, frame smallint, probability real) on commit drop;

-- name: copy_scores
copy rescored (post_id, probabilities, uncertain) from stdin with (format binary);

-- name: copy_carrying
copy rescored_frames (post_id, frame, probability) from stdin with (format binary);

-- name: add_rescored
-- Scores, carried frames with the words of their posts, and trend deltas of a range. Posts that were deleted, queued or
-- scored meanwhile are left out: they have been, or will be, seen to by who did that. The range is said again of each table, so that no more of it is
-- read: without, every range reads the scores of all of them, and of all versions.
with about as (
  select p.post_id, p.published_at, p.source, p.lang, p.author, p.unit_key, p.text, r.probabilities, r.uncertain,
         date_bin('5 minutes', p.published_at, timestamptz 'epoch') as bucket
  from rescored r
  join posts p on p.received_day = %(received_day)s and p.post_id = r.post_id
    and p.post_id between %(first_id)s and %(last_id)s
  where not exists (select from queue q where q.post_id = r.post_id and q.post_id between %(first_id)s and %(last_id)s)
    and not exists (select from scores s where s.version_id = %(version_id)s and s.post_id = r.post_id
                    and s.post_id between %(first_id)s and %(last_id)s)
), scored as (
  insert into scores (version_id, post_id, model_id, bucket, source, lang, probabilities, uncertain)
  select %(version_id)s, a.post_id, %(model_id)s, a.bucket, a.source, a.lang, a.probabilities,
         (%(uncertain)b::text[])[a.uncertain]::text[]
  from about a
  returning version_id, bucket, source, lang
), carrying as (
  insert into carried (version_id, frame, published_at, post_id, bucket, source, lang, author, unit_key, probability)
  select %(version_id)s, (%(frames)b::text[])[f.frame], a.published_at, a.post_id, a.bucket, a.source, a.lang,
         a.author, a.unit_key, f.probability
  from rescored_frames f join about a using (post_id)
  returning version_id, frame, bucket, source, lang
), worded as (
  insert into carrier_words (version_id, post_id, published_at, words)
  select %(version_id)s, a.post_id, a.published_at,
         words_of_carrier(%(version_id)s, f.frames, a.published_at, a.text)
  from (select post_id, array_agg((%(frames)b::text[])[frame]) as frames from rescored_frames group by post_id) f
  join about a using (post_id)
), moved as (
  insert into trend_deltas (version_id, frame, bucket, source, lang, posts)
  select version_id, '*', bucket, source, lang, count(*) from scored group by 1, 2, 3, 4, 5
  union all
  select version_id, frame, bucket, source, lang, count(*) from carrying group by 1, 2, 3, 4, 5
)
select count(*) as posts from scored;

-- name: queue_posts
-- Posts that cannot be scored from what is stored go the way of new ones.
insert into queue (post_id, received_day, published_at, state, queued_at)
select p.post_id, p.received_day, p.published_at, 'waiting', %(now)s
from posts p
where p.received_day = %(received_day)s and p.post_id = any(%(post_id)b::bigint[])
on conflict (post_id) do nothing;

-- name: fill_wordings
update embeddings e set wording = t.wording
from unnest(%(text_hash)b::bytea[], %(wording)b::bytea[]) as t (text_hash, wording)
where e.model_id = %(model_id)s and e.text_hash = t.text_hash;

-- name: mark_stale
-- Of posts that said something else before, the scores they had under versions out of service.
insert into stale_scores (version_id, post_id)
select s.version_id, s.post_id
from unnest(%(post_id)b::bigint[]) as t (post_id)
join post_keys k on k.post_id = t.post_id and k.version > 1
join codebooks c on c.state = 'retired' and c.kept
join scores s on s.version_id = c.version_id and s.post_id = t.post_id
on conflict do nothing;

-- name: take_stale
-- The posts whose scores under a version say nothing any more, and no longer stand there.
delete from stale_scores where version_id = %(version_id)s returning post_id;

-- name: forget_rows
-- What is left of versions that are kept no longer, at most so many rows of each table; their points go without their
-- steps' following (say_recounting), which go as well.
with old as materialized (
  select array(select version_id from codebooks where not kept) as versions
), scored as (
  delete from scores where ctid = any(array(
    select s.ctid from scores s where s.version_id = any((select versions from old)::int[]) limit %(limit)s)) returning 1
), carrying as (
  delete from carried where ctid = any(array(
    select c.ctid from carried c where c.version_id = any((select versions from old)::int[]) limit %(limit)s)) returning 1
), points as (
  delete from trend_points where ctid = any(array(
    select p.ctid from trend_points p where p.version_id = any((select versions from old)::int[]) limit %(limit)s)) returning 1
), steps as (
  delete from trend_steps where ctid = any(array(
    select t.ctid from trend_steps t where t.version_id = any((select versions from old)::int[]) limit %(limit)s)) returning 1
), side_by_side as (
  delete from trend_rows where ctid = any(array(
    select r.ctid from trend_rows r where r.version_id = any((select versions from old)::int[]) limit %(limit)s)) returning 1
), stood as (
  delete from stance_rows where ctid = any(array(
    select r.ctid from stance_rows r where r.version_id = any((select versions from old)::int[]) limit %(limit)s)) returning 1
), deltas as (
  delete from trend_deltas where ctid = any(array(
    select d.ctid from trend_deltas d where d.version_id = any((select versions from old)::int[]) limit %(limit)s)) returning 1
), windows as (
  delete from frame_windows where version_id = any((select versions from old)::int[])
), stale as (
  delete from stale_scores where ctid = any(array(
    select s.ctid from stale_scores s where s.version_id = any((select versions from old)::int[]) limit %(limit)s)) returning 1
)
select greatest((select count(*) from scored), (select count(*) from carrying), (select count(*) from points),
                (select count(*) from steps), (select count(*) from side_by_side), (select count(*) from stood), (select count(*) from deltas),
                (select count(*) from stale))::bigint as most;
