-- name: same_texts
-- Posts of a frame whose text several accounts posted in a period, reposts left out; `fresh`: the account's first post
-- we know lies on that day.
with said as (
  select c.unit_key, c.author, c.source, c.published_at, c.post_id
  from carried c
  join post_keys k using (post_id)
  join posts p on p.received_day = k.received_day and p.post_id = c.post_id
  where c.version_id = %(version_id)s and c.frame = %(frame)s
    and c.published_at >= %(since)s and c.published_at < %(until)s
    and c.author <> '' and p.repost_of = '' and p.text !~ '^RT @'
), many as (
  select unit_key from said group by 1 having count(distinct author) >= %(authors)s
)
select encode(s.unit_key, 'hex') as unit_key, s.author, s.published_at, s.post_id,
       not exists (select from posts o where o.source = s.source and o.author = s.author
                     and o.published_at < date_trunc('day', s.published_at)) as fresh
from said s join many using (unit_key)
order by 1, 3, 4;

-- name: usual_fresh
-- Part of the authors of a day that had no earlier post; over all posts, of which at most 2,000 authors are looked at.
with heard as (
  select distinct source, author from posts
  where published_at >= %(since)s and published_at < %(until)s and author <> '' limit 2000
)
select coalesce(avg((not exists (
  select from posts o where o.source = h.source and o.author = h.author and o.published_at < %(day)s))::int), 1)::float8
  as fresh
from heard h;
