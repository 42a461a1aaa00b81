-- name: add_deliveries
-- One row a channel; with no channel one silenced row, so that no alert is without a delivery.
insert into deliveries (message_id, alert_id, digest, slot, channel_id, state, reason, kind, subject, data, created_at,
                        next_attempt_at)
select %(message_id)s || '.' || coalesce(c.name, 'none'), %(alert_id)s, %(digest)s, %(slot)s, c.channel_id,
       case when c.channel_id is null then 'silenced' else 'pending' end,
       case when c.channel_id is null then 'no channel' end,
       %(kind)s, %(subject)s, %(data)s, %(now)s, %(now)s
from (select 1) one left join channels c on c.state = 'enabled'
on conflict (message_id) do nothing;

-- name: claim_deliveries
-- What another message carries is not sent by itself; an alert's messages go to a channel one after the other.
with due as (
  select delivery_id from deliveries d
  where state = 'pending' and next_attempt_at <= clock_timestamp() and carried_by is null
    and (lease_until is null or lease_until < clock_timestamp())
    and not exists (
      select from deliveries m
      join deliveries e on e.alert_id = m.alert_id and e.channel_id = m.channel_id and e.delivery_id < m.delivery_id
      where (m.delivery_id = d.delivery_id or m.carried_by = d.delivery_id) and e.state = 'pending'
        and e.delivery_id <> d.delivery_id and e.carried_by is distinct from d.delivery_id)
  order by next_attempt_at, delivery_id
  limit %(limit)s
  for update skip locked
), claimed as (
  update deliveries d set lease_until = clock_timestamp() + %(lease)s, fence = d.fence + 1, attempts = d.attempts + 1
  from due where d.delivery_id = due.delivery_id
  returning d.*
)
select c.delivery_id, c.fence, c.attempts, h.kind as channel_kind,
       case when c.reader is null then h.config else h.config || jsonb_build_object('to', jsonb_build_array(c.reader)) end
         as channel_config,
       c.message_id, c.kind, c.subject, c.data, c.created_at
from claimed c left join channels h using (channel_id)
order by c.delivery_id;

-- name: settle_delivery
-- What the message carries shares its fate.
with ours as (
  update deliveries
  set state = %(state)s, reason = %(reason)s, last_error = %(error)s, next_attempt_at = %(next_attempt_at)s,
      sent_at = case when %(state)s = 'sent' then %(now)s::timestamptz end, lease_until = null
  where delivery_id = %(delivery_id)s and fence = %(fence)s and lease_until is not null
  returning *
), carried as (
  update deliveries c
  set state = o.state, reason = o.reason, last_error = o.last_error, next_attempt_at = o.next_attempt_at,
      sent_at = o.sent_at, attempts = o.attempts
  from ours o where c.carried_by = o.delivery_id
)
select delivery_id from ours;

-- name: silence_what_follows
-- A channel that did not get the first message of an alert gets none of the later ones.
update deliveries d set state = 'silenced', reason = 'the first message of this alert was set aside'
from deliveries p
where (p.delivery_id = %(delivery_id)s or p.carried_by = %(delivery_id)s) and p.state = 'parked' and p.step = 'firing'
  and d.alert_id = p.alert_id and d.channel_id = p.channel_id and d.delivery_id > p.delivery_id
  and d.state = 'pending' and d.lease_until is null and d.carried_by is null
  and not exists (select from deliveries c where c.carried_by = d.delivery_id);

-- name: deliveries_of_alert
select d.message_id, d.state, d.reason, d.last_error, d.attempts, d.sent_at, d.next_attempt_at, c.name as channel,
       d.step, l.message_id as carried_by
from deliveries d left join channels c using (channel_id) left join deliveries l on l.delivery_id = d.carried_by
where d.alert_id = %(alert_id)s order by d.delivery_id;

-- name: add_channel
insert into channels (name, kind, config, state) values (%(name)s, %(kind)s, %(config)s, 'enabled')
on conflict (name) do update set kind = excluded.kind, config = excluded.config, state = 'enabled'
returning channel_id;

-- name: move_channel
-- The same channel with another address; paused or quiet as it was.
update channels set config = %(config)s where name = %(name)s returning channel_id;

-- name: pause_channel
update channels set state = 'paused'
where channel_id = (select channel_id from deliveries where delivery_id = %(delivery_id)s) returning channel_id;

-- name: list_channels
select channel_id, name, kind, config, quiet, state from channels order by name;

-- name: set_quiet
update channels set quiet = %(quiet)s where name = %(name)s returning channel_id;

-- name: delete_channel
delete from channels where name = %(name)s returning channel_id;

-- name: add_digest
insert into digests (digest, schedule, timezone, since, silent_when_empty, channels)
values (%(digest)s, %(schedule)s, %(timezone)s, %(since)s, %(silent)s, %(channels)s)
on conflict (digest) do nothing returning digest;

-- name: list_digests
select d.digest, d.schedule, d.timezone, d.since, d.silent_when_empty, d.channels,
       (select max(slot) from digest_slots s where s.digest = d.digest) as last_slot
from digests d order by d.digest;

-- name: fill_slot
-- The unique row makes a slot one digest, whoever comes second.
insert into digest_slots (digest, slot, body, composed_at) values (%(digest)s, %(slot)s, %(body)s, %(now)s)
on conflict do nothing returning slot;

-- name: last_digest
select digest, slot, body, composed_at from digest_slots
where %(digest)s::text is null or digest = %(digest)s order by slot desc limit 1;

-- name: retry_parked
-- What was set aside of a channel, an alert, or all goes out once more under its id, with what it carries, and with what
-- was kept back because of it; tries are counted anew. Not to a channel that is gone or paused, nor to who left a digest.
with named as (
  select coalesce(d.carried_by, d.delivery_id) as leader from deliveries d join channels c using (channel_id)
  where d.state = 'parked' and c.state = 'enabled' and (%(channel)s::text is null or c.name = %(channel)s)
    and (%(alert_id)s::text is null or d.alert_id = %(alert_id)s)
    and not exists (select from digest_readers r
                    where r.digest = d.digest and r.address = d.reader and r.unsubscribed_at is not null)
), again as (
  update deliveries d set state = 'pending', reason = null, attempts = 0, next_attempt_at = %(now)s
  where d.state = 'parked' and (d.delivery_id in (select leader from named) or d.carried_by in (select leader from named))
  returning d.*
), freed as (
  update deliveries f set state = 'pending', reason = null, next_attempt_at = %(now)s
  from again a
  where a.step = 'firing' and f.alert_id = a.alert_id and f.channel_id = a.channel_id and f.state = 'silenced'
    -- The second is how it was worded before; rows keep their words.
    and f.reason in ('the first message of this alert was set aside', 'the first message of this alert was parked')
)
select c.name as channel, count(*)::int as messages, min(a.created_at) as oldest
from again a join channels c using (channel_id)
where a.carried_by is null group by 1 order by 1;

-- name: untold_ends
-- Channels that are still to be told of an alert which is over, and to which nothing says that it is.
select a.alert_id, array_agg(d.channel_id) as channels
from deliveries d join alerts a using (alert_id)
where d.state = 'pending' and d.step = 'firing' and a.state = 'resolved' and d.channel_id is not null
  and not exists (select from deliveries e
                  where e.alert_id = d.alert_id and e.channel_id = d.channel_id and e.step = 'resolved')
group by 1 order by 1;
