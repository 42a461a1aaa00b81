-- Posts of all frames by stance in a step as one row, as trend_rows has them by frame: four numbers a frame (promotes, disputes,
-- reports, unclear) from `posts[4 * position + 1]` on. Whoever reads stances or takes carriers away appends what moved;
-- rollup folds it, alone, so that nobody waits for a row another one holds.
create table stance_deltas (
  version_id integer not null,
  frame      text not null,
  bucket     timestamptz not null,
  source     text not null,
  lang       text not null,
  stance     text not null,
  posts      integer not null
);

create table stance_rows (
  version_id integer not null references codebooks on delete cascade,
  step       text not null check (step in ('1h', '1d', '1w')),
  bucket     timestamptz not null,
  source     text not null,
  lang       text not null,
  posts      integer[] not null,
  primary key (version_id, step, source, lang, bucket)
) with (fillfactor = 60, autovacuum_vacuum_scale_factor = 0.05, autovacuum_vacuum_threshold = 2000);

-- Carriers are stored unread, so that nothing has to follow an insert. What is forgotten has no sums any more.
create function note_stances() returns trigger
language plpgsql as $$
begin
  if tg_op = 'DELETE' then
    insert into stance_deltas (version_id, frame, bucket, source, lang, stance, posts)
    select version_id, frame, bucket, source, lang, stance, -count(*) from gone
    where stance is not null and version_id in (select version_id from codebooks where kept) group by 1, 2, 3, 4, 5, 6;
  else
    insert into stance_deltas (version_id, frame, bucket, source, lang, stance, posts)
    select version_id, frame, bucket, source, lang, stance, sum(posts)
    from (select version_id, frame, bucket, source, lang, stance, 1 as posts from added
          union all
          select version_id, frame, bucket, source, lang, stance, -1 from gone) moved
    where stance is not null group by 1, 2, 3, 4, 5, 6 having sum(posts) <> 0;
  end if;
  return null;
end $$;

create trigger carried_stances_read after update on carried
  referencing old table as gone new table as added for each statement execute function note_stances();
create trigger carried_stances_gone after delete on carried
  referencing old table as gone for each statement execute function note_stances();

insert into stance_deltas (version_id, frame, bucket, source, lang, stance, posts)
select version_id, frame, bucket, source, lang, stance, count(*) from carried
where stance is not null group by 1, 2, 3, 4, 5, 6;

-- The posts of a frame that stand in one way are told, and their voices counted, without reading the others.
create index carried_stance on carried (version_id, frame, stance, published_at, post_id) include (source, lang)
  where stance is not null;
