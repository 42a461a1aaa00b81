-- Posts of a period that have some words, found by bitmaps whatever the planner thinks: it takes splitting a text into words
-- for a hundredth of what it costs and would read texts one by one. Only this is planned so, not what asks it. It is
-- planned at each call, for the days that are named, and opens no other partitions.
create function posts_saying(days date[], since timestamptz, until timestamptz, q text)
  returns table (received_day date, post_id bigint, published_at timestamptz, source text, lang text)
language plpgsql stable rows 5000 set enable_indexscan = off as $$
begin
  return query execute '
    select p.received_day, p.post_id, p.published_at, p.source, p.lang from posts p
    where p.received_day = any($1) and p.published_at >= $2 and p.published_at < $3
      and to_tsvector(''simple'', p.text) @@ websearch_to_tsquery(''simple'', $4)' using days, since, until, q;
end $$;
