-- name: add_tellings
-- One row a channel. They wait for the end of their run, so that what fires together is told together; should the
-- run die, they go out when `hold` is over.
insert into deliveries (message_id, alert_id, channel_id, state, reason, kind, step, class, subject, data, created_at,
                        next_attempt_at, gathering)
select %(message_id)s || '.' || t.name, %(alert_id)s, t.channel_id, t.state, t.reason, 'alert', %(step)s, %(class)s,
       %(subject)s, %(data)s, %(now)s, greatest(t.due, %(now)s::timestamptz + %(hold)s::interval), t.state = 'pending'
from unnest(%(name)s::text[], %(channel_id)s::int[], %(state)s::text[], %(reason)s::text[], %(due)s::timestamptz[])
  as t (name, channel_id, state, reason, due)
on conflict (message_id) do nothing;

-- name: gather
-- Untried messages of one class and step to one channel become one: that with the strongest evidence carries the
-- others in short.
with ready as (
  select delivery_id, channel_id, class, step, coalesce(reason, '') as reason, message_id, data
  from deliveries
  where gathering and state = 'pending' and attempts = 0 and lease_until is null
  order by delivery_id
  for update skip locked
), led as (
  select delivery_id, message_id, data,
         first_value(delivery_id) over (
           partition by channel_id, class, step, reason order by (data ->> 'probability')::float8, delivery_id) as leader
  from ready
), others as (
  select leader, count(*) as more, jsonb_agg(
           jsonb_build_object('message_id', message_id)
           || (data - '{sources,languages,links,first_carriers,typical}'::text[]) order by delivery_id) as together
  from led where delivery_id <> leader group by leader
)
update deliveries d
set gathering = false, carried_by = nullif(l.leader, d.delivery_id),
    next_attempt_at = case when d.reason is null then %(now)s else d.next_attempt_at end,
    data = case when o.leader is null then d.data else d.data || jsonb_build_object('together', o.together) end,
    subject = case when o.leader is null then d.subject else d.subject || ', and ' || o.more || ' more' end
from led l left join others o on o.leader = l.delivery_id
where d.delivery_id = l.delivery_id
returning d.delivery_id;

-- name: channels_told
-- Channels that got a message of an alert, or still will.
select distinct channel_id from deliveries
where alert_id = %(alert_id)s and channel_id is not null and state in ('sent', 'pending');

-- name: waiting_channels
-- Channels in which a message of an alert still waits for the end of quiet hours.
select distinct channel_id from deliveries
where alert_id = %(alert_id)s and state = 'pending' and attempts = 0 and reason like 'quiet hours%%';

-- name: silence_waiting
-- Messages that wait for the end of quiet hours need not come any more.
update deliveries d set state = 'silenced', reason = %(reason)s, gathering = false
where alert_id = %(alert_id)s and state = 'pending' and attempts = 0 and lease_until is null
  and reason like 'quiet hours%%' and carried_by is null
  and not exists (select from deliveries c where c.carried_by = d.delivery_id);

-- name: hold_alert
-- The alert as it stands, held until the transaction ends.
select alert_id, kind, rule, version_id, frame, feed_id, state, onset, last_bucket, acked_at, snoozed_until, standing,
       evidence
from alerts where alert_id = %(alert_id)s for update;

-- name: set_standing
update alerts set standing = %(standing)s, state = %(state)s, moved_at = %(now)s, moved_by = null, moved_why = %(why)s
where alert_id = %(alert_id)s and state <> 'resolved';

-- name: ack_alert
update alerts set acked_at = %(now)s, moved_at = %(now)s, moved_by = %(by)s, moved_why = null
where alert_id = %(alert_id)s and state <> 'resolved' and acked_at is null;

-- name: snooze_alert
update alerts set snoozed_until = %(until)s, moved_at = %(now)s, moved_by = %(by)s, moved_why = null
where alert_id = %(alert_id)s and state <> 'resolved';

-- name: feeds_behind
-- Feeds that brought the posts behind an alert.
select distinct p.feed_id
from carried c
join post_keys k using (post_id)
join posts p on p.received_day = k.received_day and p.post_id = c.post_id
where c.version_id = %(version_id)s and c.frame = %(frame)s
  and c.published_at >= %(since)s and c.published_at < %(until)s;
