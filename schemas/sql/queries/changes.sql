-- name: add_change
insert into codebook_changes (codebook, kind, from_version, to_version, version_id, asked_by, asked_at, state, posts)
values (%(codebook)s, %(kind)s, %(from_version)s, %(to_version)s, %(version_id)s, %(by)s, %(now)s, 'building', %(posts)s);

-- name: end_change
-- It is over: readers switched, or a newer one overtook it.
update codebook_changes set state = %(state)s, ended_at = %(now)s, moved = %(moved)s, gained = %(gained)s, lost = %(lost)s
where version_id = %(version_id)s and state = 'building';

-- name: list_changes
select change_id, codebook, kind, from_version, to_version, version_id, asked_by, asked_at, state, ended_at, posts, moved,
       gained, lost
from codebook_changes
where (%(codebook)s::text is null or codebook = %(codebook)s)
  and (%(before_id)s::bigint is null or change_id < %(before_id)s)
order by change_id desc limit %(limit)s;

-- name: building_changes
-- What is being built, with how far it has come: posts of ranges, and those of them that are done.
select g.change_id, g.codebook, g.kind, g.from_version, g.to_version, g.version_id, g.asked_by, g.asked_at,
       coalesce(r.posts, 0)::bigint as posts, coalesce(r.done, 0)::bigint as done, coalesce(r.attempts, 0)::int as attempts
from codebook_changes g
left join (
  select version_id, sum(posts) as posts, sum(posts) filter (where state = 'done') as done, max(attempts) as attempts
  from rescoring group by 1) r using (version_id)
where g.state = 'building' and (%(codebook)s::text is null or g.codebook = %(codebook)s)
order by g.change_id;

-- name: moved_posts
-- Frames that posts gained and lost from one version to another, and how many posts that were.
select count(distinct post_id)::bigint as moved, count(*) filter (where new)::bigint as gained,
       count(*) filter (where not new)::bigint as lost
from (
  select post_id, frame, bool_or(version_id = %(to_id)s) as new from carried
  where version_id in (%(from_id)s, %(to_id)s)
  group by 1, 2 having count(*) = 1) differ;
