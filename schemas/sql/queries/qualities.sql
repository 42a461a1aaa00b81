-- name: anybody_judged
-- Asked first: most houses have no label yet, and planning the large question costs more than answering it.
select exists (select from labels) as judged;

-- name: judged_samples
-- What was judged of the samples since `oldest`, under the version readers see: a row a sample and judge, by units, so
-- that a copy of a judged text is judged too. A judge's newest word on a unit counts.
select b.version_id, s.codebook, s.frame, s.week, s.stratum, s.unit_key, s.post_id, p.text,
       d.near, d.carried as clear, d.rest,
       l.judge, l.answer, (c.post_id is not null) as carried, sc.probabilities[f.position + 1] as probability
from codebooks b
join frames f using (version_id)
join draws d on d.codebook = b.codebook and d.frame = f.frame and d.week >= %(oldest)s
join samples s on s.codebook = d.codebook and s.frame = d.frame and s.week = d.week
join post_keys k on k.post_id = s.post_id
join posts p on p.received_day = k.received_day and p.post_id = k.post_id and p.unit_key = s.unit_key
join scores sc on sc.version_id = b.version_id and sc.post_id = s.post_id
left join carried c on c.version_id = b.version_id and c.frame = s.frame and c.published_at = p.published_at
  and c.post_id = s.post_id
join lateral (
  select distinct on (judge) judge, answer from labels l
  where l.codebook = s.codebook and l.frame = s.frame and l.unit_key = s.unit_key
  order by judge, judged_at desc) l on true
where b.state = 'current' and (%(codebook)s::text is null or b.codebook = %(codebook)s)
  and (%(frame)s::text is null or f.frame = %(frame)s)
order by s.codebook, f.position, s.week, s.place, l.judge;

-- name: threshold_choices
-- Thresholds that labels chose, and the units of those labels.
select codebook, frame, threshold, unit_key from threshold_units;

-- name: add_threshold_units
insert into threshold_units (codebook, frame, threshold, unit_key, chosen_at)
select %(codebook)s, %(frame)s, %(threshold)s, unit_key, %(now)s from unnest(%(unit_key)b::bytea[]) as t (unit_key)
on conflict do nothing;
