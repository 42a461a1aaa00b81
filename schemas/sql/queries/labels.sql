-- name: add_label
-- The last word of a judge on a post counts; the same word again changes nothing. No row: there is no such post.
insert into labels (codebook, frame, post_id, judge, answer, unit_key, origin, judged_at)
select %(codebook)s, %(frame)s, p.post_id, %(judge)s, %(answer)s, p.unit_key,
       case when exists (select from samples s where s.codebook = %(codebook)s and s.frame = %(frame)s
                           and s.post_id = p.post_id) then 'sample' else 'free' end, %(now)s
from post_keys k join posts p on p.received_day = k.received_day and p.post_id = k.post_id
where k.post_id = %(post_id)s and k.deleted_at is null
-- A post that is being erased at this moment is waited for: no label may outlive its post.
for share of k
on conflict (codebook, frame, post_id, judge) do update
set answer = excluded.answer, unit_key = excluded.unit_key, origin = excluded.origin,
    judged_at = case when labels.answer = excluded.answer and labels.unit_key = excluded.unit_key
                     then labels.judged_at else excluded.judged_at end
returning label_id, answer, origin, judged_at;

-- name: remove_label
delete from labels
where codebook = %(codebook)s and frame = %(frame)s and post_id = %(post_id)s and judge = %(judge)s
returning post_id;

-- name: remove_label_by_id
-- Of one judge alone, where one is given.
delete from labels
where label_id = %(label_id)s and (%(judge)s::text is null or judge = %(judge)s)
returning label_id;

-- name: page_of_labels
-- The newest answers first; `same_text`: the post still says what was judged.
with chosen as materialized (
  select * from labels
  where (%(frame)s::text is null or frame = %(frame)s)
    and (%(codebook)s::text is null or codebook = %(codebook)s)
    and (%(post_id)s::bigint is null or post_id = %(post_id)s)
    and (%(judge)s::text is null or judge = %(judge)s)
    and (%(answer)s::text is null or answer = %(answer)s)
    and (%(origin)s::text is null or origin = %(origin)s)
    and (%(since)s::timestamptz is null or judged_at >= %(since)s)
    and (%(until)s::timestamptz is null or judged_at < %(until)s)
    and (%(before)s::timestamptz is null or (judged_at, label_id) < (%(before)s, %(before_id)s::bigint))
  order by judged_at desc, label_id desc
  limit %(limit)s
), keyed as materialized (
  select c.*, k.source, k.native_id, k.received_day from chosen c join post_keys k using (post_id)
)
select l.label_id, l.codebook, l.frame, l.post_id, l.source, l.native_id, l.judge, l.answer, l.origin, l.judged_at,
       p.unit_key is not distinct from l.unit_key as same_text
from keyed l
left join posts_of_keys((select array_agg(received_day) from keyed), (select array_agg(post_id) from keyed)) p
  using (post_id)
order by l.judged_at desc, l.label_id desc;

-- name: unjudged_samples
-- What a judge has not judged yet, newest week first, in the drawn order. Says nothing of what the model said. A text
-- that was edited since it was drawn is another text.
with drawn as materialized (
  select s.codebook, s.frame, s.week, s.place, s.unit_key, s.post_id, k.received_day
  from samples s join post_keys k using (post_id)
  where s.codebook = %(codebook)s and s.frame = %(frame)s and s.week >= %(oldest)s
    and not exists (select from labels l where l.codebook = s.codebook and l.frame = s.frame
                      and l.judge = %(judge)s and l.unit_key = s.unit_key)
), there as (
  select * from posts_of_keys((select array_agg(received_day) from drawn), (select array_agg(post_id) from drawn))
)
select * from (
  select distinct on (d.unit_key) d.codebook, d.frame, d.week, d.place, p.post_id, p.text, p.lang, p.source, p.published_at
  from drawn d join there p on p.post_id = d.post_id and p.unit_key = d.unit_key
  order by d.unit_key, d.week desc) t
order by week desc, place
limit %(limit)s;

-- name: count_unjudged
-- How many samples of each current frame a judge has still to judge.
with drawn as materialized (
  select s.codebook, s.frame, s.unit_key, s.post_id, k.received_day
  from codebooks b join samples s using (codebook) left join post_keys k using (post_id)
  where b.state = 'current' and s.week >= %(oldest)s
), there as materialized (
  select post_id, unit_key
  from posts_of_keys((select array_agg(received_day) from drawn), (select array_agg(post_id) from drawn))
), answered as materialized (
  select distinct codebook, frame, unit_key from labels where judge = %(judge)s
)
select b.codebook, f.frame, f.title, f.description, b.version,
       count(distinct d.unit_key) filter (where p.post_id is not null and a.unit_key is null)::int as unjudged,
       count(distinct d.unit_key)::int as samples
from codebooks b join frames f using (version_id)
left join drawn d on d.codebook = b.codebook and d.frame = f.frame
left join there p on p.post_id = d.post_id and p.unit_key = d.unit_key
left join answered a on a.codebook = d.codebook and a.frame = d.frame and a.unit_key = d.unit_key
where b.state = 'current'
group by b.codebook, b.version, f.position, f.frame, f.title, f.description
order by b.codebook, f.position;

-- name: list_labels
-- Every label with its post, as labelled posts are exported; `claimed`: the version readers see says that the post
-- carries the frame, or is not sure.
select l.codebook, l.frame, l.judge, l.answer, l.origin, l.judged_at, l.unit_key, p.post_id, p.source, p.native_id,
       p.text, p.lang, p.author, p.url, p.published_at, p.unit_key = l.unit_key as same_text,
       exists (select from carried c where c.version_id = b.version_id and c.post_id = p.post_id and c.frame = l.frame)
       or exists (select from scores s where s.version_id = b.version_id and s.post_id = p.post_id
                    and l.frame = any(s.uncertain)) as claimed
from labels l
join post_keys k on k.post_id = l.post_id
join posts p on p.received_day = k.received_day and p.post_id = k.post_id
left join codebooks b on b.codebook = l.codebook and b.state = 'current'
where l.codebook = %(codebook)s and (%(frame)s::text is null or l.frame = %(frame)s)
order by l.post_id, l.judge, l.frame;

-- name: find_posts
-- Our numbers of posts by their identity.
select k.native_id, k.post_id from post_keys k
where k.source = %(source)s and k.native_id = any(%(native_id)b::text[]) and k.deleted_at is null;

-- name: forget_samples
-- Erased posts are judged no more. To be asked in a statement of its own, after the tombstones: see add_label.
delete from samples s using unnest(%(post_id)b::bigint[]) as t (post_id) where s.post_id = t.post_id;

-- name: forget_labels
delete from labels l using unnest(%(post_id)b::bigint[]) as t (post_id) where l.post_id = t.post_id
returning l.codebook, l.frame, l.unit_key;

-- name: forget_choosers
-- That a text chose a threshold goes with the last label of it.
delete from threshold_units t
using unnest(%(codebook)b::text[], %(frame)b::text[], %(unit_key)b::bytea[]) as g (codebook, frame, unit_key)
where t.codebook = g.codebook and t.frame = g.frame and t.unit_key = g.unit_key
  and not exists (select from labels l where l.codebook = g.codebook and l.frame = g.frame and l.unit_key = g.unit_key);
