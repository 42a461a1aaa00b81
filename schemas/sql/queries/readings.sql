-- name: firing_alerts
-- The burst that is going on in each frame, the newest first.
select a.alert_id, c.codebook, a.frame, a.onset
from alerts a join codebooks c using (version_id)
where a.kind = 'burst' and a.state <> 'resolved'
order by a.onset desc, a.alert_id;

-- name: schema_number
-- Number of the newest migration applied.
select coalesce(max(number), 0)::int as number from schema_migrations;
