-- name: evidence_beyond
-- Buckets of the current frames in which either test went beyond, a row a frame.
select v.version_id, v.frame,
       array_agg(floor(extract(epoch from v.bucket) / %(step_s)s)::bigint order by v.bucket) as at,
       array_agg(coalesce(v.spike, 0) order by v.bucket) as spikes,
       array_agg(coalesce(v.rise, 0) order by v.bucket) as rises
from verdicts v join codebooks c using (version_id)
where c.state = 'current' and v.bucket >= %(since)s and v.bucket < %(until)s
  and (v.spike > %(beyond)s or v.rise > %(beyond)s)
group by v.version_id, v.frame
order by v.version_id, v.frame;

-- name: judged_days
-- How many buckets were judged each day, a row a frame.
select version_id, frame, array_agg(day order by day) as days, array_agg(judged order by day) as judged
from (select v.version_id, v.frame, floor(extract(epoch from v.bucket) / 86400)::int as day, count(*)::int as judged
      from verdicts v join codebooks c using (version_id)
      where c.state = 'current' and v.bucket >= %(since)s and v.bucket < %(until)s and v.spike is not null
      group by 1, 2, 3) d
group by version_id, frame
order by version_id, frame;

-- name: add_calibration
insert into calibrations (holds_from, made_at, budget, series, days, asked, accepted, alarms, held, found)
values (%(holds_from)s, %(made_at)s, %(budget)s, %(series)s, %(days)s, %(asked)s, %(accepted)s, %(alarms)s, %(held)s,
        %(found)s)
on conflict (holds_from) do nothing;

-- name: newest_calibration
select holds_from, made_at, budget, series, days, asked, accepted, alarms, held from calibrations
order by holds_from desc limit 1;

-- name: calibrations_until
-- The newest before `until`, newest first.
select holds_from, found from calibrations where holds_from < %(until)s order by holds_from desc limit %(limit)s;
