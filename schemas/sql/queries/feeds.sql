-- name: add_feed
-- A feed already there keeps its cursor; only its title and options follow.
with known as (
  insert into hosts (host, free_at) values (%(host)s, %(now)s) on conflict (host) do nothing
)
insert into feeds (source, address, title, state, mode, clock, host, options, cursor, interval_s, added_at,
                   next_fetch_at)
values (%(source)s, %(address)s, %(title)s, 'enabled', %(mode)s, %(clock)s, %(host)s, %(options)s, '{}',
        %(interval_s)s, %(now)s, %(now)s)
on conflict (source, address) do update set title = excluded.title, options = excluded.options, mode = excluded.mode
returning feed_id, xmax = 0 as added;

-- name: expect_feed
-- From now on this feed should be heard.
insert into expected_spans (feed_id, starts_at, ends_at)
select %(feed_id)s, %(now)s, null
where not exists (select from expected_spans where feed_id = %(feed_id)s and ends_at is null)
on conflict do nothing;

-- name: stop_expecting_feed
update expected_spans set ends_at = %(now)s where feed_id = %(feed_id)s and ends_at is null;

-- name: set_feed_state
update feeds set state = %(state)s, next_fetch_at = %(now)s where feed_id = %(feed_id)s returning feed_id;

-- name: delete_feed
delete from feeds where feed_id = %(feed_id)s returning feed_id;

-- name: list_feeds
select f.feed_id, f.source, f.address, f.title, f.state, f.mode, f.clock, f.options, f.interval_s, f.pace, f.rate,
       f.added_at, f.next_fetch_at, f.fetched_at, f.heard_until, f.last_post_at, f.failures, f.last_reason,
       f.last_error, f.warning, f.moved_to,
       coalesce((select sum(posts) from intake i where i.feed_id = f.feed_id and i.outcome = 'new'), 0)::bigint as posts
from feeds f
order by f.feed_id;

-- name: claim_feeds
-- Due feeds, leased: whoever holds the fence may settle. One feed a host and claim, not before the host is free again;
-- a host has at most `per_host` feeds leased, whoever holds them. Feeds that live in their own time (replays) wait
-- for no host.
with free as (
  select h.host from hosts h
  where h.free_at <= clock_timestamp()
    and exists (
      select from feeds f
      where f.host = h.host and f.state = 'enabled' and f.mode = 'poll' and f.next_fetch_at <= clock_timestamp()
        and (f.lease_until is null or f.lease_until < clock_timestamp())
    )
    and (
      select count(*) from feeds f
      where f.host = h.host and f.state = 'enabled' and f.mode = 'poll' and f.lease_until >= clock_timestamp()
    ) < %(per_host)s
  order by h.free_at
  limit %(limit)s
  for update of h skip locked
), first as (
  select distinct on (f.host) f.feed_id, f.host, f.clock
  from feeds f join free using (host)
  where f.state = 'enabled' and f.mode = 'poll' and f.next_fetch_at <= clock_timestamp()
    and (f.lease_until is null or f.lease_until < clock_timestamp())
  order by f.host, f.next_fetch_at
), due as (
  select f.feed_id, first.host, first.clock from feeds f join first using (feed_id) for update of f skip locked
), paced as (
  update hosts h set free_at = clock_timestamp() + case when due.clock = 'wall' then %(gap)s else interval '0' end
  from due where h.host = due.host
)
update feeds f
set lease_until = clock_timestamp() + %(lease)s, fence = f.fence + 1
from due where f.feed_id = due.feed_id
returning f.feed_id, f.source, f.address, f.title, f.state, f.clock, f.options, f.cursor, f.interval_s, f.pace, f.rate,
          f.heard_until, f.last_post_at, f.failures, f.fence;

-- name: claim_streams
-- Streams nobody listens to, leased.
with due as (
  select feed_id from feeds
  where state = 'enabled' and mode = 'stream' and next_fetch_at <= clock_timestamp()
    and (lease_until is null or lease_until < clock_timestamp())
  order by next_fetch_at
  limit %(limit)s
  for update skip locked
)
update feeds f
set lease_until = clock_timestamp() + %(lease)s, fence = f.fence + 1
from due where f.feed_id = due.feed_id
returning f.feed_id, f.source, f.address, f.title, f.state, f.clock, f.options, f.cursor, f.interval_s, f.pace, f.rate,
          f.heard_until, f.last_post_at, f.failures, f.fence;

-- name: hold_host
-- A host asked us all to stay away for a while.
update hosts set free_at = greatest(free_at, %(until)s)
where host = (select host from feeds where feed_id = %(feed_id)s);

-- name: settle_feed
-- Cursor, position and next fetch; no row comes back when the lease went to somebody else. With `lease` it is kept.
update feeds
set cursor = %(cursor)s, heard_until = greatest(heard_until, %(heard_until)s::timestamptz), fetched_at = %(now)s,
    title = case when title = '' then %(title)s else title end,
    next_fetch_at = %(next_fetch_at)s, failures = %(failures)s, last_reason = %(reason)s, last_error = %(error)s,
    state = case when %(ended)s and state = 'enabled' then 'ended' else state end,
    lease_until = clock_timestamp() + %(lease)s::interval
where feed_id = %(feed_id)s and fence = %(fence)s and lease_until is not null
  and (%(lease)s::interval is null or state = 'enabled')
returning feed_id;

-- name: tune_feed
-- What a page taught us: how fast to come back, how much to expect, what to warn of.
update feeds
set pace = %(pace)s, rate = %(rate)s, warning = %(warning)s, next_fetch_at = %(next_fetch_at)s,
    last_post_at = coalesce(%(last_post_at)s, last_post_at)
where feed_id = %(feed_id)s;

-- name: hurry_feed
update feeds set next_fetch_at = least(next_fetch_at, %(now)s) where feed_id = %(feed_id)s;

-- name: find_push
-- The feed that posts are sent to under a name, marked as heard now.
update feeds set fetched_at = %(now)s, heard_until = greatest(heard_until, %(now)s), last_post_at = %(now)s,
    warning = null
where source = 'push' and address = %(name)s and state = 'enabled'
returning feed_id;

-- name: note_move
-- A feed says that it has moved for good; how often it said so of the same place, and since when.
update feeds
set moved_times = case when moved_to = %(moved_to)s then moved_times + 1 else 1 end,
    moved_since = case when moved_to = %(moved_to)s then moved_since else %(now)s end,
    moved_to = %(moved_to)s
where feed_id = %(feed_id)s
returning moved_times, moved_since;

-- name: move_feed
-- The feed is read at its new place from now on, unless another feed is.
with known as (
  insert into hosts (host, free_at) values (%(host)s, %(now)s) on conflict (host) do nothing
)
update feeds set address = %(address)s, host = %(host)s, moved_to = null, moved_since = null, moved_times = 0
where feed_id = %(feed_id)s
  and not exists (select from feeds o where o.source = feeds.source and o.address = %(address)s)
returning feed_id;

-- name: spend
-- Spend units of an account if its limit allows; no row when it does not. Negative units are given back.
insert into ledgers (name, spent)
select %(name)s, greatest(%(units)s::bigint, 0) where %(units)s::bigint <= %(limit)s::bigint
on conflict (name) do update set spent = greatest(ledgers.spent + %(units)s::bigint, 0)
where %(units)s::bigint <= 0 or ledgers.spent + %(units)s::bigint <= %(limit)s::bigint
returning spent;

-- name: add_intake
insert into intake (feed_id, outcome, posts)
select %(feed_id)s, outcome, posts from unnest(%(outcomes)s::text[], %(posts)s::bigint[]) as t (outcome, posts)
on conflict (feed_id, outcome) do update set posts = intake.posts + excluded.posts;

-- name: extend_heard
-- Grow the last span this one touches.
update heard_spans h
set ends_at = greatest(h.ends_at, %(ends_at)s)
where h.feed_id = %(feed_id)s
  and h.starts_at = (select max(starts_at) from heard_spans where feed_id = %(feed_id)s)
  and h.ends_at >= %(starts_at)s and h.starts_at <= %(starts_at)s
returning h.feed_id;

-- name: add_heard
insert into heard_spans (feed_id, starts_at, ends_at) values (%(feed_id)s, %(starts_at)s, %(ends_at)s)
on conflict (feed_id, starts_at) do update set ends_at = greatest(heard_spans.ends_at, excluded.ends_at);

-- name: extend_expected
-- A feed that lives in its own time is expected exactly as far as it has come.
insert into expected_spans (feed_id, starts_at, ends_at)
select %(feed_id)s, %(starts_at)s, %(ends_at)s
where not exists (select from expected_spans where feed_id = %(feed_id)s)
union all
select feed_id, starts_at, greatest(ends_at, %(ends_at)s) from expected_spans where feed_id = %(feed_id)s
on conflict (feed_id, starts_at) do update set ends_at = excluded.ends_at;

-- name: spans
-- (feed, kind, from, until) of everything expected, heard and sent to us that touches a period.
select feed_id, 'expected' as kind, starts_at, coalesce(ends_at, %(until)s) as ends_at
from expected_spans where starts_at < %(until)s and coalesce(ends_at, %(until)s) > %(since)s
union all
select feed_id, case mode when 'push' then 'sent' else 'heard' end, starts_at, ends_at
from heard_spans join feeds using (feed_id) where starts_at < %(until)s and ends_at > %(since)s
order by feed_id, kind, starts_at;

-- name: expected_from
-- The first moment from a time on in which somebody was to be heard; null when there is none.
select min(greatest(starts_at, %(since)s::timestamptz)) as at from (
  select starts_at, ends_at from expected_spans
  union all
  select h.starts_at, h.ends_at from heard_spans h join feeds f using (feed_id) where f.mode = 'push'
) s where coalesce(ends_at, 'infinity') > %(since)s;

-- name: was_silent
-- Whether something should have been heard in a period and nothing was: coverage nought, without adding up spans.
with due as (
  select feed_id, greatest(starts_at, %(since)s::timestamptz) as starts_at,
         least(coalesce(ends_at, %(until)s::timestamptz), %(until)s::timestamptz) as ends_at
  from expected_spans where starts_at < %(until)s and coalesce(ends_at, %(until)s::timestamptz) > %(since)s
)
select exists (select from due) and not exists (
  select from due d join heard_spans h on h.feed_id = d.feed_id and h.starts_at < d.ends_at and h.ends_at > d.starts_at
) as silent;

-- name: present
-- The time the stream lives in: ours while any live feed is on, else how far the replayed ones have come.
select case
  when exists (select from feeds where clock = 'wall' and state = 'enabled') then %(wall)s::timestamptz
  else coalesce((select max(heard_until) from feeds where clock = 'feed'), %(wall)s::timestamptz)
end as present;

-- name: heard_by_all
-- Until when each of these feeds that keeps its appointments has been heard; null when none does.
select min(heard_until) as heard_until
from feeds
where feed_id = any(%(feed_ids)s::bigint[]) and state = 'enabled' and mode <> 'push' and failures = 0 and heard_until is not null
  and next_fetch_at >= clock_timestamp() - %(patience)s::interval;

-- name: move_feeds
-- The same feeds at another address (a local server that came back on another port).
update feeds set address = regexp_replace(address, '^https?://[^/]+/', %(base)s)
where address like %(pattern)s and clock = 'feed' and address not like %(base)s || '%%' returning feed_id;

-- name: intake_of
select outcome, posts from intake where feed_id = %(feed_id)s order by 1;
