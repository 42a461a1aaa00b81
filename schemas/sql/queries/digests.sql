-- name: remove_digest
delete from digests where digest = %(digest)s returning digest;

-- name: add_readers
-- The people that the channels of a digest write to by address, each once.
insert into digest_readers (digest, address)
select distinct %(digest)s, a.address
from channels c
cross join lateral (
  select lower(regexp_replace(value, '^.*<([^<>]+)>\s*$', '\1')) as address
  from jsonb_array_elements_text(case when jsonb_typeof(c.config -> 'to') = 'array' then c.config -> 'to' else '[]' end)
) a
where c.state = 'enabled' and (%(channels)s::text[] is null or c.name = any(%(channels)s::text[]))
  and exists (select from digests d where d.digest = %(digest)s)
order by 2
on conflict (digest, address) do nothing;

-- name: addressees
-- Whom a digest goes to: each reader once, however many channels name them; and each channel that knows no readers.
with enabled as (
  select c.channel_id, c.name, jsonb_typeof(c.config -> 'to') = 'array' as by_address, c.config
  from channels c
  where c.state = 'enabled' and (%(channels)s::text[] is null or c.name = any(%(channels)s::text[]))
), people as (
  select distinct on (a.address) e.channel_id, e.name, a.address
  from enabled e
  cross join lateral (
    select lower(regexp_replace(value, '^.*<([^<>]+)>\s*$', '\1')) as address
    from jsonb_array_elements_text(case when e.by_address then e.config -> 'to' else '[]' end)) a
  order by a.address, e.channel_id
)
select p.channel_id, p.name, p.address as reader, r.reader_id, r.unsubscribed_at
from people p left join digest_readers r on r.digest = %(digest)s and r.address = p.address
union all
select channel_id, name, null, null, null from enabled where by_address is distinct from true
order by 2, 3;

-- name: add_delivery
insert into deliveries (message_id, digest, slot, channel_id, reader, state, reason, kind, subject, data, created_at,
                        next_attempt_at)
values (%(message_id)s, %(digest)s, %(slot)s, %(channel_id)s, %(reader)s, %(state)s, %(reason)s, 'digest', %(subject)s,
        %(data)s, %(now)s, %(now)s)
on conflict (message_id) do nothing;

-- name: list_readers
select r.digest, r.address, r.unsubscribed_at,
       (select max(d.sent_at) from deliveries d where d.digest = r.digest and d.reader = r.address) as sent_at
from digest_readers r where %(digest)s::text is null or r.digest = %(digest)s
order by r.digest, r.address;

-- name: find_reader
select reader_id, digest, address, unsubscribed_at from digest_readers where reader_id = %(reader_id)s;

-- name: unsubscribe
-- What waits for this reader is not sent any more; the first time they left stays written down.
with left_now as (
  update digest_readers set unsubscribed_at = coalesce(unsubscribed_at, %(now)s) where reader_id = %(reader_id)s
  returning digest, address
), stopped as (
  update deliveries d set state = 'silenced', reason = 'unsubscribed'
  from left_now l
  where d.digest = l.digest and d.reader = l.address and d.state = 'pending' and d.lease_until is null
)
select digest, address from left_now;

-- name: resubscribe
update digest_readers set unsubscribed_at = null
where digest = %(digest)s and address = lower(%(address)s) and unsubscribed_at is not null returning reader_id;

-- name: alerts_told
-- Ids of the alerts that the digest of a slot told of; no row where there was none.
select array(select a ->> 'alert_id' from jsonb_array_elements(body -> 'alerts') a) as alert_ids
from digest_slots where digest = %(digest)s and slot = %(slot)s;

-- name: alerts_with_evidence
-- Alerts that were going on in a period, or came to their end in it (`calm` after their last bucket), with what stands
-- behind them.
select a.alert_id, a.kind, c.codebook, a.frame, a.state, a.onset, a.last_bucket, a.raised_at, a.acked_at, a.snoozed_until,
       a.evidence -> 'frame' ->> 'title' as title, a.evidence ->> 'reason' as reason, a.evidence
from alerts a left join codebooks c using (version_id)
where a.onset < %(until)s and (a.state <> 'resolved' or a.last_bucket + %(calm)s > %(since)s)
order by a.onset, a.alert_id;

-- name: new_publishers
-- Publishers who carried one of these frames in a period and not before it (as far back as `horizon`), busiest first.
with named as (
  select c.frame, n.name, count(*)::int as posts, min(c.published_at) as first_at
  from carried c
  join post_keys k using (post_id)
  join posts p on p.received_day = k.received_day and p.post_id = c.post_id
  cross join lateral unnest(p.publishers) as n (name)
  where c.version_id = %(version_id)s and c.frame = any(%(frames)s::text[])
    and c.published_at >= %(horizon)s and c.published_at < %(until)s
  group by 1, 2
  having min(c.published_at) >= %(since)s
), ranked as (
  select *, row_number() over (partition by frame order by posts desc, first_at, name) as place,
         count(*) over (partition by frame)::int as publishers
  from named
)
select frame, name, posts, first_at, publishers from ranked where place <= %(limit)s order by frame, place;

-- name: new_authors
-- How many authors carried each of these frames in a period, and how many of them never did before it.
select frame, count(*)::int as authors, (count(*) filter (where first_at >= %(since)s))::int as fresh
from (
  select frame, author, min(published_at) as first_at, max(published_at) as last_at
  from carried
  where version_id = %(version_id)s and frame = any(%(frames)s::text[])
    and published_at >= %(horizon)s and published_at < %(until)s
  group by 1, 2) t
where last_at >= %(since)s
group by 1;

-- name: heard_before
-- Whether there is a past to compare with: a scored post before `since`.
select exists (
  select from trend_points where version_id = %(version_id)s and frame = '*' and bucket >= %(horizon)s
    and bucket < %(since)s) as heard;

-- name: posts_carrying
-- Posts of a period that carry a frame or more, each once.
select count(distinct post_id)::int as posts from carried
where version_id = %(version_id)s and published_at >= %(since)s and published_at < %(until)s;
