-- New posts change what the hours before the present hold, and hardly ever what the hours before those held: each is
-- marked by itself, or readers would count the earlier ones again as well, every few seconds.
alter table frame_windows add column before_changed boolean not null default false;
update frame_windows set before_changed = changed;

create or replace function mark_frame_windows(versions integer[], frames text[], buckets timestamptz[]) returns void
language plpgsql as $$
begin
  update frame_windows w
  set changed = w.changed or t.last >= w.until - w.hours * interval '1 hour',
      before_changed = w.before_changed or t.first < w.until - w.hours * interval '1 hour'
  from (select v as version_id, f as frame, min(b) as first, max(b) as last
        from unnest(versions, frames, buckets) as t (v, f, b) group by 1, 2) t
  where w.version_id = t.version_id and w.frame = t.frame
    and t.last >= w.until - 2 * w.hours * interval '1 hour' and t.first < w.until
    and ((not w.changed and t.last >= w.until - w.hours * interval '1 hour')
         or (not w.before_changed and t.first < w.until - w.hours * interval '1 hour'));
end $$;
