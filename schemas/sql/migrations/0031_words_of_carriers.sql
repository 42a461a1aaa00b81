-- The words of each post that carries a frame, with a mark for each frame and its day beside them, in one index: which
-- posts of a frame have some words is told without reading a post. Apart from carried, whose rows are read by the thousand.
create table carrier_words (
  version_id   integer not null,
  post_id      bigint not null,
  published_at timestamptz not null,
  words        tsvector not null,
  primary key (post_id, version_id)
);
-- Nothing is planned by them: their index is the only way to what is asked.
alter table carrier_words alter column words set statistics 0;

create function carrier_mark(version_id integer, frame text, day date) returns text
language sql immutable parallel safe as $$
  -- No word begins like this: the parser leaves the sign out.
  select '§' || version_id || ':' || frame || ':' || (day - date '2000-01-01')
$$;

-- What carrier_words holds of a post.
create function words_of_carrier(version_id integer, frames text[], published_at timestamptz, text text) returns tsvector
language sql immutable parallel safe as $$
  select to_tsvector('simple', text) || array_to_tsvector(array(
    select carrier_mark(version_id, f, (published_at at time zone 'UTC')::date) from unnest(frames) f))
$$;

-- What finds those of a frame with the words `q`, of every day that a period touches. No words find none.
create function carriers_saying(version_id integer, frame text, since timestamptz, until timestamptz, q text)
  returns tsquery
language sql immutable parallel safe as $$
  select case when numnode(w) = 0 then w else w && (
    select string_agg('''' || replace(replace(carrier_mark(version_id, frame, d), '\', '\\'), '''', '''''') || '''', '|')
    from (select (since at time zone 'UTC')::date + n as d
          from generate_series(0, (until at time zone 'UTC')::date - (since at time zone 'UTC')::date) n) t)::tsquery end
  from websearch_to_tsquery('simple', q) w
$$;

-- A post has all its frames of a version taken at once, or the version is forgotten.
create function forget_words() returns trigger
language plpgsql as $$
begin
  delete from carrier_words w using gone g where w.post_id = g.post_id and w.version_id = g.version_id;
  return null;
end $$;
create trigger carried_words_gone after delete on carried
  referencing old table as gone for each statement execute function forget_words();

insert into carrier_words
select c.version_id, c.post_id, c.published_at, words_of_carrier(c.version_id, c.frames, c.published_at, p.text)
from (select version_id, post_id, published_at, array_agg(frame) as frames from carried
      group by post_id, version_id, published_at) c
join post_keys k on k.post_id = c.post_id
join posts p on p.received_day = k.received_day and p.post_id = k.post_id;
-- Whoever asks looks through what is not sorted in yet: at most some milliseconds of it.
create index carrier_words_words on carrier_words using gin (words) with (gin_pending_list_limit = 512);
