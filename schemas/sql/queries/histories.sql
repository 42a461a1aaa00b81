-- name: moves_of_alert
-- What became of an alert, oldest first.
select move, at, moved_by, why, until from alert_moves where alert_id = %(alert_id)s order by move_id;

-- name: messages_of_alert
select d.step, d.state, d.reason, d.last_error, d.attempts, d.created_at, d.sent_at, d.next_attempt_at,
       c.name as channel, d.carried_by is not null as carried
from deliveries d left join channels c using (channel_id)
where d.alert_id = %(alert_id)s order by d.delivery_id;

-- name: mutes_about
-- Mutes of a frame or a feed that stood at any time from `since` on.
select frame, feed_id, until, made_at, made_by, ended_at, ended_by from mutes
where (frame = %(frame)s or feed_id = %(feed_id)s)
  and least(coalesce(ended_at, 'infinity'), coalesce(until, 'infinity')) > %(since)s
  and made_at < coalesce(%(before)s::timestamptz, 'infinity')
order by mute_id;

-- name: techniques_of
select coalesce(details -> 'disarm', '[]') as techniques from frames
where version_id = %(version_id)s and frame = %(frame)s;
