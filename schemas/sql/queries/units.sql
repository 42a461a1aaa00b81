-- name: find_fresh
-- Of the posts that came, those that are new here or say something else than before.
select i.native_id
from unnest(%(native_id)b::text[], %(content_hash)b::bytea[]) as i (native_id, content_hash)
cross join lateral (
  select count(*) as known from post_keys k
  where k.source = %(source)s and k.native_id = i.native_id
    and (k.deleted_at is not null or k.content_hash = i.content_hash)) k
where k.known = 0;

-- name: find_owners
-- Whose the places of each band are, with the text as it stands now: null when that post is gone, and the place free.
-- Lateral with a limit, so that each is looked up by its key, whatever the planner knows of the tables.
with found as (
  select b.* from unnest(%(band)s::bigint[]) as t (band)
  cross join lateral (
    select band, place, post_id from near_bands n
    where n.band = t.band and n.used_on >= %(since)s limit %(places)s) b
), owners as (
  select post_id, array_agg(band) as bands, array_agg(place) as places from found group by 1
)
select o.bands, o.places, p.source, p.native_id, p.unit_key, p.text
from owners o
left join lateral (select received_day from post_keys k where k.post_id = o.post_id limit 1) k on true
left join lateral (
  select source, native_id, unit_key, text from posts p
  where p.received_day = k.received_day and p.post_id = o.post_id limit 1) p on true;

-- name: keep_bands
-- The places that were free are now theirs. Who takes the same one at the same time waits, and does not get it.
-- `post` is the number of the native_id from 1.
insert into near_bands (band, place, post_id, used_on)
select t.band, t.place, k.post_id, %(today)s
from unnest(%(native_id)b::text[]) with ordinality as n (native_id, post)
cross join lateral (
  select post_id from post_keys k
  where k.source = %(source)s and k.native_id = n.native_id and k.deleted_at is null limit 1) k
join unnest(%(band)s::bigint[], %(place)s::smallint[], %(post)s::int[]) as t (band, place, post) using (post)
order by t.band, t.place
on conflict (band, place) do update set post_id = excluded.post_id, used_on = excluded.used_on
where near_bands.used_on < %(since)s
returning band, place;

-- name: drop_bands
-- Places of posts that are gone, or that turned out to be near copies.
delete from near_bands n
using (
  select band, place from near_bands
  join unnest(%(band)s::bigint[], %(place)s::smallint[]) as t (band, place) using (band, place)
  order by band, place for update of near_bands skip locked) gone
where (n.band, n.place) = (gone.band, gone.place);

-- name: touch_bands
-- A text that is still copied is remembered for another while; once a day is enough.
update near_bands n set used_on = %(today)s
from (
  select band, place from near_bands
  join unnest(%(band)s::bigint[], %(place)s::smallint[]) as t (band, place) using (band, place)
  where used_on < %(today)s
  order by band, place for update of near_bands skip locked) due
where (n.band, n.place) = (due.band, due.place);

-- name: move_units
-- Posts whose near copies were stored at the same time, and first, join their unit.
update posts p set unit_key = i.unit_key
from unnest(%(native_id)b::text[], %(unit_key)b::bytea[]) as i (native_id, unit_key)
join post_keys k on k.source = %(source)s and k.native_id = i.native_id
where p.received_day = k.received_day and p.post_id = k.post_id;

-- name: find_settled
-- The unit of posts that we have, or that were reposted before they came.
select w.native_id, coalesce(p.unit_key, r.unit_key) as unit_key
from unnest(%(native_id)b::text[]) as w (native_id)
left join lateral (
  select p.unit_key from post_keys k
  cross join lateral (
    select p.unit_key from posts p where p.received_day = k.received_day and p.post_id = k.post_id limit 1) p
  where k.source = %(source)s and k.native_id = w.native_id limit 1) p on true
left join lateral (
  select r.unit_key from reposted r where r.source = %(source)s and r.native_id = w.native_id limit 1) r on true
where coalesce(p.unit_key, r.unit_key) is not null;

-- name: find_reposted
-- The unit that reposts gave to posts that have not come themselves.
select r.native_id, r.unit_key
from unnest(%(native_id)b::text[]) as w (native_id)
cross join lateral (
  select native_id, unit_key from reposted r
  where r.source = %(source)s and r.native_id = w.native_id limit 1) r;

-- name: keep_reposted
-- The first repost says which unit it is, also for those that come at the same time.
insert into reposted (source, native_id, unit_key, seen_on)
select %(source)s, native_id, unit_key, %(today)s
from unnest(%(native_id)b::text[], %(unit_key)b::bytea[]) as t (native_id, unit_key) order by native_id
on conflict (source, native_id) do update set seen_on = excluded.seen_on
returning native_id, unit_key;

-- name: forget_bands
delete from near_bands where ctid = any(array(
  select ctid from near_bands where used_on < %(since)s limit %(limit)s for update skip locked));

-- name: forget_reposted
delete from reposted where seen_on < %(since)s;
