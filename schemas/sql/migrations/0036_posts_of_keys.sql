-- What posts_of_keys tells was too little for lists of samples and suggestions: language and source with it.
drop function posts_of_keys(date[], bigint[]);
create function posts_of_keys(days date[], ids bigint[])
  returns table (post_id bigint, published_at timestamptz, unit_key bytea, text text, lang text, source text)
language plpgsql stable rows 100 set plan_cache_mode = force_generic_plan as $$
begin
  return query
    select p.post_id, p.published_at, p.unit_key, p.text, p.lang, p.source
    from (select distinct * from unnest(days, ids) u (received_day, post_id)) k
    join posts p on p.received_day = k.received_day and p.post_id = k.post_id;
end $$;

-- The language of a post of a suggestion: without it every text of every suggestion was read to show one of each.
alter table suggestion_posts add column lang text not null default '';
update suggestion_posts m set lang = p.lang
from post_keys k join posts p on p.received_day = k.received_day and p.post_id = k.post_id
where k.post_id = m.post_id;
alter table suggestion_posts alter column lang drop default;
