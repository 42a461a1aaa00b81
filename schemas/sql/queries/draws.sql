-- name: undrawn_frames
-- Frames of the current codebooks without a draw of this week.
select b.version_id, b.codebook, b.version, f.frame, f.position
from codebooks b join frames f using (version_id)
where b.state = 'current'
  and not exists (select from draws d where d.codebook = b.codebook and d.frame = f.frame and d.week = %(week)s)
order by b.version_id, f.position;

-- name: carrying_units
-- The units that carry each frame in a period, each by its first post that does.
select distinct on (c.frame, c.unit_key) c.frame, c.unit_key, c.post_id, c.probability
from carried c
where c.version_id = %(version_id)s and c.published_at >= %(since)s and c.published_at < %(until)s
order by c.frame, c.unit_key, c.post_id;

-- name: uncertain_units
-- The units about which the model is not sure, frame by frame.
select distinct on (u.frame, p.unit_key) u.frame, p.unit_key, p.post_id
from posts p
join scores s on s.version_id = %(version_id)s and s.post_id = p.post_id
cross join lateral unnest(s.uncertain) as u (frame)
where p.published_at >= %(since)s and p.published_at < %(until)s and s.uncertain <> '{}'
order by u.frame, p.unit_key, p.post_id;

-- name: shuffled_units
-- Units of a period in an order that the seed alone decides, the first `limit` of them, and how many there are.
with units as (
  select p.unit_key, min(p.post_id) as post_id
  from posts p join scores s on s.version_id = %(version_id)s and s.post_id = p.post_id
  where p.published_at >= %(since)s and p.published_at < %(until)s
  group by p.unit_key
)
select unit_key, post_id, (select count(*) from units)::int as units
from units
order by md5(%(seed)s::text || encode(unit_key, 'hex')), unit_key
limit %(limit)s;

-- name: add_draw
-- No row comes back when somebody drew this week's sample of the frame before.
insert into draws (codebook, frame, week, version, since, until, seed, near, carried, rest, drawn_at)
values (%(codebook)s, %(frame)s, %(week)s, %(version)s, %(since)s, %(until)s, %(seed)s, %(near)s, %(carried)s,
        %(rest)s, %(now)s)
on conflict do nothing
returning week;

-- name: add_samples
insert into samples (codebook, frame, week, post_id, unit_key, stratum, inclusion, place)
select %(codebook)s, %(frame)s, %(week)s, t.*
from unnest(%(post_id)b::bigint[], %(unit_key)b::bytea[], %(stratum)b::text[], %(inclusion)b::float8[],
            %(place)b::int[]) as t (post_id, unit_key, stratum, inclusion, place)
join post_keys k on k.post_id = t.post_id
where k.deleted_at is null
-- As with labels: no sample may outlive its post.
for share of k;
