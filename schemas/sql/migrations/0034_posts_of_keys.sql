-- Posts by their keys, however many days they are of: planned once for a connection, and not for all partitions each time.
create function posts_of_keys(days date[], ids bigint[])
  returns table (post_id bigint, published_at timestamptz, unit_key bytea, text text)
language plpgsql stable rows 100 set plan_cache_mode = force_generic_plan as $$
begin
  return query
    select p.post_id, p.published_at, p.unit_key, p.text
    from unnest(days, ids) k (received_day, post_id)
    join posts p on p.received_day = k.received_day and p.post_id = k.post_id;
end $$;
