-- name: note_sent
-- A sender was there in this hour.
insert into sender_hours (feed_id, hour, sent) values (%(feed_id)s, %(hour)s, true)
on conflict (feed_id, hour) do update set sent = true where not sender_hours.sent;

-- name: note_there
-- We are there in this hour to be sent to: the feeds of which that was not known yet.
insert into sender_hours (feed_id, hour, sent)
select feed_id, %(hour)s, false from feeds where mode = 'push' and state = 'enabled'
on conflict do nothing
returning feed_id;

-- name: sender_hours
select hour, sent from sender_hours where feed_id = %(feed_id)s and hour >= %(since)s order by hour;

-- name: hold_sender
-- When a feed was last sent posts; locks it against those that come meanwhile.
select heard_until from feeds
where feed_id = %(feed_id)s and state = 'enabled' and heard_until is not null for update;

-- name: warn_of_sender
update feeds set warning = %(warning)s where feed_id = %(feed_id)s;

-- name: end_stay
-- Whoever has fallen silent is not there any more: what it says from then on is unknown.
update heard_spans set ends_at = greatest(starts_at, %(ends_at)s) where feed_id = %(feed_id)s and ends_at > %(ends_at)s;

-- name: forget_hours
delete from sender_hours where hour < %(before)s;
