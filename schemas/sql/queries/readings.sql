-- name: firing_alerts
-- The burst that is going on in each frame, the newest first.
select a.alert_id, c.codebook, a.frame, a.onset
from alerts a join codebooks c using (version_id)
where a.kind = 'burst' and a.state <> 'resolved'
order by a.onset desc, a.alert_id;

-- name: schema_number
-- Number of the newest migration applied.
select coalesce(max(number), 0)::int as number from schema_migrations;

-- name: stored_sizes
-- Counted while there are few; of many, what Postgres keeps count of itself. Its statistics forget after a crash, and
-- the planner's own lag behind: the greater of the two is the better guess.
with estimated as (
  select coalesce(sum(greatest(c.reltuples, s.n_live_tup, 0)) filter (where i.inhparent = 'posts'::regclass), 0)::bigint
           as posts,
         coalesce(sum(greatest(c.reltuples, s.n_live_tup, 0)) filter (where c.oid = 'embeddings'::regclass), 0)::bigint
           as embeddings
  from pg_class c
  left join pg_inherits i on i.inhrelid = c.oid and i.inhparent = 'posts'::regclass
  left join pg_stat_user_tables s on s.relid = c.oid
  where i.inhparent is not null or c.oid = 'embeddings'::regclass
)
select case when e.posts > %(counted)s then e.posts else (select count(*) from posts) end as posts,
       (select count(*) from queue where state = 'parked') as parked_posts,
       case when e.embeddings > %(counted)s then e.embeddings else (select count(*) from embeddings) end as embeddings
from estimated e;
