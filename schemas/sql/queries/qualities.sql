-- name: quality_marks
-- What changes with anything that the quality of a frame is made of, its version and the oldest week apart.
select codebook, frame, mark from quality_marks;

-- name: judged_samples
-- What was judged of the samples since `oldest`, under the version readers see: a row a sample and judge, by units, so
-- that a copy of a judged text is judged too. A judge's newest word on a unit counts.
with judged as materialized (
  select b.version_id, s.codebook, s.frame, f.position, s.week, s.place, s.stratum, s.unit_key, s.post_id,
         d.near, d.carried as clear, d.rest, l.judge, l.answer
  from codebooks b
  join frames f using (version_id)
  join draws d on d.codebook = b.codebook and d.frame = f.frame and d.week >= %(oldest)s
  join samples s on s.codebook = d.codebook and s.frame = d.frame and s.week = d.week
  join lateral (
    select distinct on (judge) judge, answer from labels l
    where l.codebook = s.codebook and l.frame = s.frame and l.unit_key = s.unit_key
    order by judge, judged_at desc) l on true
  where b.state = 'current' and (%(codebook)s::text is null or b.codebook = %(codebook)s)
    and (%(frame)s::text is null or f.frame = %(frame)s)
), keys as (
  select array_agg(k.received_day) as days, array_agg(k.post_id) as ids
  from post_keys k where k.post_id in (select post_id from judged)
)
select j.version_id, j.codebook, j.frame, j.week, j.stratum, j.unit_key, j.post_id, p.text, j.near, j.clear, j.rest,
       j.judge, j.answer, (c.post_id is not null) as carried, sc.probabilities[j.position + 1] as probability
from keys cross join lateral posts_of_keys(keys.days, keys.ids) p
join judged j on j.post_id = p.post_id and j.unit_key = p.unit_key
join scores sc on sc.version_id = j.version_id and sc.post_id = j.post_id
left join carried c on c.version_id = j.version_id and c.frame = j.frame and c.published_at = p.published_at
  and c.post_id = j.post_id
order by j.codebook, j.position, j.week, j.place, j.judge;

-- name: threshold_choices
-- Thresholds that labels chose, and the units of those labels.
select codebook, frame, threshold, unit_key from threshold_units;

-- name: add_threshold_units
insert into threshold_units (codebook, frame, threshold, unit_key, chosen_at)
select %(codebook)s, %(frame)s, %(threshold)s, unit_key, %(now)s from unnest(%(unit_key)b::bytea[]) as t (unit_key)
on conflict do nothing;
