-- name: open_alerts
-- The alerts that go on in frames: bursts before waves of one text, the newest of each first.
select a.alert_id, c.codebook, a.frame, a.kind, a.onset, a.last_bucket, a.acked_at, a.snoozed_until
from alerts a join codebooks c using (version_id)
where a.frame is not null and a.state <> 'resolved'
order by (a.kind = 'burst') desc, a.onset desc, a.alert_id;
