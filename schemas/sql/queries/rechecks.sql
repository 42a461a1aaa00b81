-- name: late_arrivals
-- Posts that carry the frame in the period and were received after the alert was raised.
select c.post_id
from carried c
join post_keys k using (post_id)
join posts p on p.received_day = k.received_day and p.post_id = c.post_id
where c.version_id = %(version_id)s and c.frame = %(frame)s
  and c.published_at >= %(since)s and c.published_at < %(until)s and p.received_at > %(raised_at)s
order by c.post_id;

-- name: fates
-- What became of posts: deleted, edited, and whether they still carry the frame.
select k.post_id, k.deleted_at, (select max(replaced_at) from post_versions v where v.post_id = k.post_id) as edited_at,
       exists (select from carried c where c.version_id = %(version_id)s and c.frame = %(frame)s
                 and c.post_id = k.post_id) as carries
from post_keys k where k.post_id = any(%(post_id)s::bigint[]);

-- name: erased_since
-- Posts deleted since then; which frames they carried is no longer known.
select count(*)::int as posts from post_keys where deleted_at > %(raised_at)s and version > 0;

-- name: scores_kept
select exists (select from scores where version_id = %(version_id)s) as kept;
