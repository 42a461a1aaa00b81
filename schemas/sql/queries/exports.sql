-- name: export_posts
-- Posts in order of time, with the frames they carry; pages follow (published_at, post_id). A post was published on the
-- day it was received, before, or a little later as clocks go.
select p.post_id, p.source, p.native_id, p.url, p.author, p.lang, p.text, p.published_at, p.time_quality, p.received_at,
       coalesce((select array_agg(c.frame order by c.frame) from carried c
                 where c.version_id = %(version_id)s and c.post_id = p.post_id), '{}') as frames,
       (select jsonb_object_agg(c.frame, c.stance) from carried c
        where c.version_id = %(version_id)s and c.post_id = p.post_id and c.stance is not null) as stances,
       coalesce(s.uncertain, '{}') as uncertain
from posts p
left join scores s on s.version_id = %(version_id)s and s.post_id = p.post_id
where p.received_day >= ((%(since)s::timestamptz - interval '1 day') at time zone 'UTC')::date
  and p.published_at >= %(since)s and p.published_at < %(until)s
  and (p.published_at, p.post_id) > (%(after)s::timestamptz, %(after_id)s::bigint)
  and (%(source)s::text is null or p.source = %(source)s) and (%(lang)s::text is null or p.lang = %(lang)s)
order by p.published_at, p.post_id
limit %(limit)s;

-- name: export_posts_of_frame
with chosen as materialized (
  select c.version_id, c.post_id, c.published_at from carried c
  where c.version_id = %(version_id)s and c.frame = %(frame)s
    and c.published_at >= %(since)s and c.published_at < %(until)s
    and (%(stance)s::text is null or c.stance = %(stance)s)
    and (c.published_at, c.post_id) > (%(after)s::timestamptz, %(after_id)s::bigint)
    and (%(source)s::text is null or c.source = %(source)s) and (%(lang)s::text is null or c.lang = %(lang)s)
  order by c.published_at, c.post_id
  limit %(limit)s
)
select p.post_id, p.source, p.native_id, p.url, p.author, p.lang, p.text, p.published_at, p.time_quality, p.received_at,
       coalesce((select array_agg(o.frame order by o.frame) from carried o
                 where o.version_id = c.version_id and o.post_id = c.post_id), '{}') as frames,
       (select jsonb_object_agg(o.frame, o.stance) from carried o
        where o.version_id = c.version_id and o.post_id = c.post_id and o.stance is not null) as stances,
       coalesce(s.uncertain, '{}') as uncertain
from chosen c
join post_keys k on k.post_id = c.post_id
join posts p on p.received_day = k.received_day and p.post_id = c.post_id
left join scores s on s.version_id = c.version_id and s.post_id = c.post_id
order by c.published_at, c.post_id;

-- name: export_scores
-- What the model said of each post, in order of time.
select p.post_id, p.source, p.native_id, p.published_at, m.name as model, s.probabilities, s.uncertain,
       coalesce((select array_agg(c.frame order by c.frame) from carried c
                 where c.version_id = s.version_id and c.post_id = s.post_id), '{}') as frames,
       (select jsonb_object_agg(c.frame, c.stance) from carried c
        where c.version_id = s.version_id and c.post_id = s.post_id and c.stance is not null) as stances
from posts p
join scores s on s.version_id = %(version_id)s and s.post_id = p.post_id
join models m using (model_id)
where p.received_day >= ((%(since)s::timestamptz - interval '1 day') at time zone 'UTC')::date
  and p.published_at >= %(since)s and p.published_at < %(until)s
  and (p.published_at, p.post_id) > (%(after)s::timestamptz, %(after_id)s::bigint)
  and (%(source)s::text is null or p.source = %(source)s) and (%(lang)s::text is null or p.lang = %(lang)s)
order by p.published_at, p.post_id
limit %(limit)s;

-- name: export_alerts
-- Alerts raised in a period, oldest first, with their evidence.
select a.alert_id, a.kind, a.rule, c.codebook, c.version, a.frame, a.state, a.onset, a.last_bucket, a.raised_at,
       a.resolved_at, a.acked_at, a.evidence ->> 'reason' as reason, a.evidence
from alerts a left join codebooks c using (version_id)
where a.raised_at >= %(since)s and a.raised_at < %(until)s
  and (a.raised_at, a.alert_id) > (%(after)s::timestamptz, %(after_id)s::text)
  and (%(frame)s::text is null or a.frame = %(frame)s)
order by a.raised_at, a.alert_id
limit %(limit)s;
