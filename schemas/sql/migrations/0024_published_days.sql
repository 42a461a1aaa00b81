-- On which days posts of a day came in: who asks for what was published in a period then opens the partitions that hold
-- it and no others. Planning over all partitions of a year costs more than reading a page. A day may stay here whose
-- posts are gone.
create table published_days (
  published_day date not null,
  received_day  date not null,
  primary key (published_day, received_day)
);

create function note_published_days() returns trigger
language plpgsql as $$
begin
  insert into published_days (published_day, received_day)
  select distinct (published_at at time zone 'UTC')::date, received_day from added order by 1, 2
  on conflict do nothing;
  return null;
end $$;

create trigger posts_published_days after insert on posts
  referencing new table as added for each statement execute function note_published_days();

insert into published_days (published_day, received_day)
select distinct (published_at at time zone 'UTC')::date, received_day from posts;
