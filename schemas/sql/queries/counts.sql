-- name: database_clock
select clock_timestamp() as at;

-- name: record_run
insert into stage_runs (stage, runs, rows, failures, fenced_off, seconds, ran_at, last_error)
values (%(stage)s, 1, %(rows)s, %(failures)s, %(fenced_off)s, %(seconds)s, %(now)s, %(error)s)
on conflict (stage) do update set
  runs = stage_runs.runs + 1, rows = stage_runs.rows + excluded.rows,
  failures = stage_runs.failures + excluded.failures, fenced_off = stage_runs.fenced_off + excluded.fenced_off,
  seconds = stage_runs.seconds + excluded.seconds, ran_at = excluded.ran_at,
  last_error = coalesce(excluded.last_error, stage_runs.last_error);

-- name: stage_runs
select stage, runs, rows, failures, fenced_off, seconds, ran_at, last_error from stage_runs order by stage;

-- name: intake_identity
-- fetched = new + duplicate + dropped, by feed; and the new ones are the keys we hold.
select coalesce(sum(posts) filter (where outcome = 'fetched'), 0)::bigint as fetched,
       coalesce(sum(posts) filter (where outcome = 'new'), 0)::bigint as new,
       coalesce(sum(posts) filter (where outcome = 'duplicate'), 0)::bigint as duplicate,
       coalesce(sum(posts) filter (where outcome like 'dropped:%%'), 0)::bigint as dropped
from intake;

-- name: intake_outcomes
select f.source, i.outcome, sum(i.posts)::bigint as posts from intake i join feeds f using (feed_id)
group by 1, 2 order by 1, 2;

-- name: stored_identity
-- stored = scored + pending + parked, under every version in service; a post in none of them is lost. Pending are also
-- those in a range that a version being built is still to score.
with missing as (
  select p.post_id, bool_and(exists (
           select from rescoring r
           where r.version_id = c.version_id and r.state = 'waiting' and r.received_day = p.received_day
             and p.post_id between r.first_id and r.last_id)) as planned
  from posts p cross join codebooks c
  where c.state in ('current', 'building')
    and not exists (select from scores s where s.version_id = c.version_id and s.post_id = p.post_id)
  group by 1
)
select count(*)::bigint as stored,
       count(*) filter (where q.state is null and m.post_id is null)::bigint as scored,
       count(*) filter (where q.state = 'waiting' or (q.state is null and m.planned))::bigint as pending,
       count(*) filter (where q.state = 'parked')::bigint as parked
from posts p left join queue q using (post_id) left join missing m using (post_id);

-- name: keys_identity
-- Every living key has its post, and every post its key; `erased` are posts that were new once and are deleted now.
select (select count(*) from posts)::bigint as posts,
       (select count(*) from posts p join post_keys k on k.post_id = p.post_id and k.deleted_at is null)::bigint as both,
       (select count(*) from post_keys where deleted_at is not null and version > 0)::bigint as erased,
       (select count(*) from queue q where not exists (select from posts p where p.post_id = q.post_id))::bigint as strays;

-- name: trend_identity
-- Trend points and unfolded deltas together are what the scores say, point by point; units and authors too. Of versions
-- that are being forgotten nothing need add up.
with told as (
  select version_id, frame, bucket, source, lang, posts, units, authors from trend_points
), owed as (
  select version_id, frame, bucket, source, lang, sum(posts) as posts from trend_deltas group by 1, 2, 3, 4, 5
), fact as (
  select version_id, '*' as frame, bucket, source, lang, count(*) as posts, 0 as units, 0 as authors
  from scores group by 1, 2, 3, 4, 5
  union all
  select version_id, frame, bucket, source, lang, count(*),
         least(count(distinct unit_key), count(distinct author)), count(distinct author)
  from carried group by 1, 2, 3, 4, 5
), compared as (
  select coalesce(t.posts, 0) + coalesce(o.posts, 0) as told, coalesce(f.posts, 0) as fact,
         o.posts is null and (coalesce(t.units, 0), coalesce(t.authors, 0))
           <> (coalesce(f.units, 0), coalesce(f.authors, 0)) as voices_differ
  from told t
  full join owed o using (version_id, frame, bucket, source, lang)
  full join fact f using (version_id, frame, bucket, source, lang)
  where version_id not in (select version_id from codebooks where not kept)
)
select count(*)::bigint as points, coalesce(sum(told), 0)::bigint as told, coalesce(sum(fact), 0)::bigint as fact,
       (count(*) filter (where told <> fact or voices_differ))::bigint as drifted
from compared;

-- name: steps_identity
-- Hours, days and weeks kept of trend points are what their points add up to; and voices, where they were counted and
-- nothing of the step waits to be folded. Of versions that are being forgotten nothing need add up.
with widths (step, width) as (values ('1h', interval '1 hour'), ('1d', interval '1 day'), ('1w', interval '7 days')),
fact as (
  select t.version_id, t.frame, w.step, date_bin(w.width, t.bucket, timestamptz 'epoch') as bucket,
         coalesce(t.source, '*') as source, coalesce(t.lang, '*') as lang, sum(t.posts) as posts
  from trend_points t cross join widths w
  group by t.version_id, t.frame, w.step, date_bin(w.width, t.bucket, timestamptz 'epoch'),
           grouping sets ((), (t.source), (t.lang), (t.source, t.lang))
), heard as (
  select c.version_id, c.frame, w.step, date_bin(w.width, c.published_at, timestamptz 'epoch') as bucket,
         coalesce(c.source, '*') as source, coalesce(c.lang, '*') as lang,
         least(count(distinct c.unit_key), count(distinct c.author)) as units, count(distinct c.author) as authors
  from carried c cross join widths w
  group by c.version_id, c.frame, w.step, date_bin(w.width, c.published_at, timestamptz 'epoch'),
           grouping sets ((), (c.source), (c.lang), (c.source, c.lang))
), owed as (
  select distinct d.version_id, d.frame, w.step, date_bin(w.width, d.bucket, timestamptz 'epoch') as bucket
  from trend_deltas d cross join widths w
), compared as (
  select coalesce(s.posts, 0) as told, coalesce(f.posts, 0) as fact,
         s.units is not null and o.bucket is null
           and (s.units, s.authors) is distinct from (coalesce(h.units, 0), coalesce(h.authors, 0)) as voices_differ
  from trend_steps s
  full join fact f using (version_id, frame, step, bucket, source, lang)
  left join heard h using (version_id, frame, step, bucket, source, lang)
  left join owed o using (version_id, frame, step, bucket)
  where version_id not in (select version_id from codebooks where not kept)
)
select count(*)::bigint as steps, (count(*) filter (where told <> fact or voices_differ))::bigint as drifted
from compared;

-- name: rows_identity
-- Posts of all frames side by side are those of their steps.
with told as (
  select r.version_id, p.frame, r.step, r.bucket, r.source, r.lang, r.posts[p.place] as posts
  from trend_rows r join trend_places p using (version_id)
)
select count(*)::bigint as numbers, (count(*) filter (where coalesce(t.posts, 0) <> coalesce(s.posts, 0)))::bigint as drifted
from told t
full join trend_steps s using (version_id, frame, step, bucket, source, lang)
where version_id not in (select version_id from codebooks where not kept);

-- name: stances_identity
-- Posts kept by stance are what carriers say, where nothing of the step waits to be folded.
with widths (step, width) as (values ('1h', interval '1 hour'), ('1d', interval '1 day'), ('1w', interval '7 days')),
told as (
  select r.version_id, f.frame, r.step, r.bucket, r.source, r.lang, a.stance, r.posts[4 * f.position + a.place] as posts
  from stance_rows r join frames f using (version_id)
  cross join unnest(%(stances)s::text[]) with ordinality as a (stance, place)
), fact as (
  select c.version_id, c.frame, w.step, date_bin(w.width, c.bucket, timestamptz 'epoch') as bucket,
         coalesce(c.source, '*') as source, coalesce(c.lang, '*') as lang, c.stance, count(*) as posts
  from carried c cross join widths w
  where c.stance is not null
  group by c.version_id, c.frame, w.step, date_bin(w.width, c.bucket, timestamptz 'epoch'), c.stance,
           grouping sets ((), (c.source), (c.lang), (c.source, c.lang))
), owed as (
  select distinct d.version_id, d.frame, w.step, date_bin(w.width, d.bucket, timestamptz 'epoch') as bucket
  from stance_deltas d cross join widths w
)
select count(*)::bigint as numbers,
       (count(*) filter (where coalesce(t.posts, 0) <> coalesce(f.posts, 0) and o.bucket is null))::bigint as drifted
from told t
full join fact f using (version_id, frame, step, bucket, source, lang, stance)
left join owed o using (version_id, frame, step, bucket)
where version_id not in (select version_id from codebooks where not kept);

-- name: scores_identity
-- The frames a score row claims are the rows in carried, and each names a living post.
select (select count(*) from scores s where not exists (select from posts p where p.post_id = s.post_id))::bigint
         as scores_without_post,
       (select count(*) from carried c where not exists (
          select from scores s where s.version_id = c.version_id and s.post_id = c.post_id))::bigint
         as carried_without_score;

-- name: words_identity
-- Each post that carries frames has its words, marked with these frames and no others, and no other post has.
with carriers as (
  select version_id, post_id, published_at, array_agg(frame) as frames from carried group by 1, 2, 3
)
select count(*)::bigint as carriers,
       (count(*) filter (where c.post_id is null or w.post_id is null or m.marks is distinct from m.wanted))::bigint
         as drifted
from carriers c
full join carrier_words w using (version_id, post_id, published_at)
cross join lateral (
  select array(select l from unnest(tsvector_to_array(w.words)) l where l like '§%%' order by l) as marks,
         array(select carrier_mark(version_id, f, (published_at at time zone 'UTC')::date) as l
               from unnest(c.frames) f order by l) as wanted) m
where version_id not in (select version_id from codebooks where not kept);

-- name: windows_identity
-- What is kept of the hours before the present is what points and carriers say, unless it is marked as changed or what
-- changes it is not folded yet.
with settled as (
  select w.*, w.until - w.hours * interval '1 hour' as since from frame_windows w
  where not exists (select from trend_deltas d where d.version_id = w.version_id and d.frame in (w.frame, '*'))
)
select count(*)::bigint as windows,
       (count(*) filter (
          where (not w.changed and w.posts <> p.posts) or (not w.before_changed and w.before <> p.before)
             or (not w.changed and w.frame <> '*' and (w.units, w.authors) <> (v.units, v.authors))))::bigint as drifted
from settled w
cross join lateral (
  select coalesce(sum(posts) filter (where bucket >= w.since), 0) as posts,
         coalesce(sum(posts) filter (where bucket < w.since), 0) as before
  from trend_points t
  where t.version_id = w.version_id and t.frame = w.frame and t.bucket >= w.since - w.hours * interval '1 hour'
    and t.bucket < w.until) p
cross join lateral (
  select least(count(distinct c.unit_key), count(distinct c.author)) as units, count(distinct c.author) as authors
  from carried c
  where c.version_id = w.version_id and c.frame = w.frame and c.published_at >= w.since and c.published_at < w.until) v;

-- name: alert_identity
-- Each alert counts once, by the worst state of its messages: pending, parked, delivered, silenced.
with worst as (
  select a.alert_id,
         case when bool_or(d.state = 'pending') then 'pending' when bool_or(d.state = 'parked') then 'parked'
              when bool_or(d.state = 'sent') then 'delivered' when bool_or(d.state = 'silenced') then 'silenced' end
           as state
  from alerts a left join deliveries d using (alert_id) group by 1
)
select count(*)::bigint as raised, count(*) filter (where state = 'delivered')::bigint as delivered,
       count(*) filter (where state = 'pending')::bigint as pending,
       count(*) filter (where state = 'parked')::bigint as parked,
       count(*) filter (where state = 'silenced')::bigint as silenced
from worst;

-- name: backlog
-- How far behind each stage is: rows waiting and the age of the oldest, in seconds. A feed that is sent to us, or that
-- somebody is at, waits for nobody.
select 'collect' as stage, count(*)::bigint as waiting,
       coalesce(extract(epoch from clock_timestamp() - min(next_fetch_at)), 0)::float8 as oldest_s
from feeds
where state = 'enabled' and mode <> 'push' and next_fetch_at <= clock_timestamp()
  and (lease_until is null or lease_until < clock_timestamp())
union all
select 'classify', count(*), coalesce(extract(epoch from clock_timestamp() - min(queued_at)), 0)::float8
from queue where state = 'waiting'
union all
select 'rescore', coalesce(sum(posts), 0), 0 from rescoring where state = 'waiting'
union all
select 'rollup', count(*), 0 from trend_deltas
union all
select 'deliver', count(*), coalesce(extract(epoch from clock_timestamp() - min(next_attempt_at)), 0)::float8
from deliveries where state = 'pending' and next_attempt_at <= clock_timestamp();

-- name: totals
select (select count(*) from posts)::bigint as posts,
       (select count(*) from queue where state = 'parked')::bigint as parked_posts,
       (select count(*) from alerts)::bigint as alerts,
       (select count(*) from alerts where state <> 'resolved')::bigint as firing,
       (select count(*) from deliveries where state = 'parked')::bigint as parked_deliveries,
       (select count(*) from feeds where state = 'enabled')::bigint as feeds,
       (select count(*) from embeddings)::bigint as embeddings;

-- name: delivery_states
select state, count(*)::bigint as deliveries from deliveries group by 1 order by 1;

-- name: alert_states
select kind, state, count(*)::bigint as alerts from alerts group by 1, 2 order by 1, 2;

-- name: last_partition_day
select max(to_date(substring(c.relname from '\d{8}$'), 'YYYYMMDD')) as day
from pg_inherits i join pg_class c on c.oid = i.inhrelid where i.inhparent = 'posts'::regclass;

-- name: lock_migrations
-- One migrator at a time, whatever number of processes start at once.
select pg_advisory_lock(hashtext('framewatch.migrate'));

-- name: make_migrations_table
create table if not exists schema_migrations (number integer primary key, name text not null, applied_at timestamptz not null);

-- name: applied_migrations
select number from schema_migrations order by number;

-- name: note_migration
insert into schema_migrations (number, name, applied_at) values (%(number)s, %(name)s, %(now)s);

-- name: one_snapshot
-- Must be the first in its transaction: everything after it sees the same moment.
set transaction isolation level repeatable read read only;
