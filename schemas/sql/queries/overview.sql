-- name: verdict_series
-- What was judged of every current frame, or of some, in a period: a row a frame, hours in order. Of hours that were not
-- heard posts and units are unknown. The order is each array's own: that of rows is lost in a join.
select c.codebook, v.frame,
       array_agg(v.bucket order by v.bucket) as at,
       array_agg(v.posts order by v.bucket) as posts,
       array_agg(v.units order by v.bucket) as units,
       array_agg(v.coverage order by v.bucket) as coverage,
       array_agg(v.expected order by v.bucket) as expected,
       array_agg(v.upper order by v.bucket) as upper,
       array_agg(v.state order by v.bucket) as state
from codebooks c
join (select version_id, frame, bucket, case when coverage = 0 then null else posts end as posts,
             case when coverage = 0 then null else units end as units, coverage, expected, upper, state
      from verdicts where bucket >= %(since)s and bucket < %(until)s
        and (%(frames)s::text[] is null or frame = any(%(frames)s::text[]))) v using (version_id)
where c.state = 'current'
group by c.codebook, v.frame;

-- name: parts_by_source
select source as part, sum(posts)::int as posts from trend_points
where version_id = %(version_id)s and frame = %(frame)s and bucket >= %(since)s and bucket < %(until)s
group by 1 having sum(posts) > 0 order by 2 desc, 1;

-- name: parts_by_lang
select lang as part, sum(posts)::int as posts from trend_points
where version_id = %(version_id)s and frame = %(frame)s and bucket >= %(since)s and bucket < %(until)s
group by 1 having sum(posts) > 0 order by 2 desc, 1;

-- name: top_carriers
-- Who carries a frame most: posts, and how many texts of their own those are.
select author, source, count(*)::int as posts, count(distinct unit_key)::int as texts, min(published_at) as first_at,
       max(published_at) as last_at
from carried
where version_id = %(version_id)s and frame = %(frame)s and published_at >= %(since)s and published_at < %(until)s
  and author <> ''
group by 1, 2 order by 3 desc, 5, 1 limit %(limit)s;

-- name: filtered_alerts
select a.alert_id, a.kind, a.rule, a.frame, a.state, a.onset, a.last_bucket, a.raised_at, a.resolved_at,
       a.acked_at, a.snoozed_until,
       a.evidence -> 'frame' ->> 'title' as title, a.evidence ->> 'reason' as reason,
       c.codebook, c.version
from alerts a left join codebooks c using (version_id)
where (%(frame)s::text is null or a.frame = %(frame)s)
  and (%(kind)s::text is null or a.kind = %(kind)s)
  and (%(open)s::boolean is null or (a.state <> 'resolved') = %(open)s)
  and (%(before)s::timestamptz is null or (a.raised_at, a.alert_id) < (%(before)s, %(before_id)s::text))
order by a.raised_at desc, a.alert_id desc
limit %(limit)s;

-- name: alert_quotes
-- Of each of these alerts the post that carries its frame most surely, as it was frozen.
select alert_id, evidence -> 'typical' -> 0 as post from alerts
where alert_id = any(%(alert_ids)s::text[]) and jsonb_array_length(coalesce(evidence -> 'typical', '[]')) > 0;

-- name: last_carried
-- The newest bucket before a time that has posts of a frame.
select bucket from trend_points
where version_id = %(version_id)s and frame = %(frame)s and bucket < %(before)s and posts > 0
order by bucket desc limit 1;

-- name: feed_intake
-- Posts of every feed by what became of them.
select feed_id, outcome, posts from intake where posts > 0 order by 1, 3 desc, 2;
