-- name: due_subscriptions
-- Feeds that name a hub which was not asked yet, changed, or is to be asked again; with what was agreed so far.
select f.feed_id, f.cursor ->> 'hub' as hub, f.cursor ->> 'topic' as topic, w.token, w.secret,
       coalesce(w.attempts, 0) as attempts, w.state, w.lease_until
from feeds f left join websub w using (feed_id)
where f.state = 'enabled' and coalesce(f.cursor ->> 'hub', '') <> '' and coalesce(f.cursor ->> 'topic', '') <> ''
  and (w.feed_id is null or w.ask_at <= %(now)s or w.hub <> f.cursor ->> 'hub' or w.topic <> f.cursor ->> 'topic')
order by f.feed_id
limit %(limit)s;

-- name: save_subscription
-- Written before the hub is asked, so that its question back finds it.
insert into websub (feed_id, hub, topic, token, secret, state, ask_at, attempts)
values (%(feed_id)s, %(hub)s, %(topic)s, %(token)s, %(secret)s, 'asked', %(ask_at)s, %(attempts)s)
on conflict (feed_id) do update
set hub = excluded.hub, topic = excluded.topic, ask_at = excluded.ask_at, attempts = excluded.attempts,
    state = case when websub.hub = excluded.hub and websub.topic = excluded.topic then websub.state else 'asked' end;

-- name: find_subscription
select w.feed_id, w.topic, w.secret, w.state
from websub w join feeds f using (feed_id)
where w.token = %(token)s and f.state = 'enabled';

-- name: agree_subscription
update websub set state = 'told', lease_until = %(lease_until)s, ask_at = %(ask_at)s, attempts = 0
where token = %(token)s;

-- name: deny_subscription
update websub set state = 'denied', lease_until = null, ask_at = %(ask_at)s where token = %(token)s;
