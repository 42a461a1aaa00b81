-- name: claim_posts
-- Fresh posts by the batch; posts that a worker died on in ever smaller ones, so that a poisonous one ends up alone.
with fresh as (
  select post_id from queue
  where state = 'waiting' and attempts = 0 and (lease_until is null or lease_until < clock_timestamp())
  order by post_id limit %(limit)s for update skip locked
), tried as (
  select post_id, attempts from queue
  where state = 'waiting' and attempts > 0 and lease_until < clock_timestamp()
    and not exists (select from fresh)
  order by attempts, post_id limit %(limit)s for update skip locked
), few as (
  select post_id from (
    select post_id, attempts, row_number() over (order by attempts, post_id) as place,
           min(attempts) over () as least
    from tried) t
  where place <= greatest(1, %(limit)s >> (3 * least))
), claimed as (
  update queue q
  set lease_until = clock_timestamp() + %(lease)s, fence = q.fence + 1, attempts = q.attempts + 1
  from (select post_id from fresh union all select post_id from few) c
  where q.post_id = c.post_id
  returning q.post_id, q.received_day, q.fence, q.attempts
)
select c.post_id, c.fence, c.attempts, p.text, p.text_hash, p.lang
from claimed c join posts p on p.received_day = c.received_day and p.post_id = c.post_id
order by c.post_id;

-- name: park_poison
-- Posts that workers died on again and again are set aside with the reason, for a person to look at.
update queue set state = 'parked', reason = %(reason)s, lease_until = null
where state = 'waiting' and attempts >= %(attempts)s and lease_until < clock_timestamp()
returning post_id;

-- name: release_posts
-- Give claimed posts back at once (the work could not be done, through no fault of theirs).
update queue q set lease_until = null, attempts = greatest(q.attempts - 1, 0)
from unnest(%(post_id)b::bigint[], %(fence)b::bigint[]) as t (post_id, fence)
where q.post_id = t.post_id and q.fence = t.fence;

-- name: settle_posts
-- The rows that are still ours leave the queue; only these may be written about.
delete from queue q
using unnest(%(post_id)b::bigint[], %(fence)b::bigint[]) as t (post_id, fence)
where q.post_id = t.post_id and q.fence = t.fence and q.lease_until is not null
returning q.post_id;

-- name: unpark_posts
update queue set state = 'waiting', attempts = 0, reason = null where state = 'parked' returning post_id;

-- name: oldest_queued
-- The earliest event time still to be scored at or after a moment; null when none is.
select min(published_at) as published_at from queue where state = 'waiting' and published_at >= %(since)s;
