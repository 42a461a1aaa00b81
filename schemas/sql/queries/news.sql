-- name: last_move
-- Where whoever begins to listen begins.
select xid::text as xid, move_id from alert_moves where xid < pg_snapshot_xmin(pg_current_snapshot())
order by alert_moves.xid desc, move_id desc limit 1;

-- name: moves_since
-- Moves after one, as far as nothing that began before can still commit, each with the alert as it is now.
select m.xid::text as xid, m.move_id, m.move, a.alert_id, a.kind, a.rule, a.frame, a.state, a.onset, a.last_bucket,
       a.raised_at, a.resolved_at, a.evidence -> 'frame' ->> 'title' as title, a.evidence ->> 'reason' as reason,
       c.codebook, c.version
from alert_moves m join alerts a using (alert_id) left join codebooks c using (version_id)
where (m.xid, m.move_id) > (%(xid)s::text::xid8, %(move_id)s::bigint)
  and m.xid < pg_snapshot_xmin(pg_current_snapshot())
order by m.xid, m.move_id
limit %(limit)s;

-- name: newest_points
-- The posts of each current frame in the newest buckets of five minutes.
select c.codebook, c.version, f.frame, p.bucket, sum(p.posts)::int as posts
from codebooks c
join (select version_id, frame from frames union all select version_id, '*' from codebooks) f using (version_id)
cross join lateral (
  select t.bucket, t.posts from trend_points t
  where t.version_id = f.version_id and t.frame = f.frame and t.bucket >= %(since)s and t.bucket <= %(until)s) p
where c.state = 'current'
group by 1, 2, 3, 4
order by p.bucket, 1, 3;
