-- Changes with whatever a frame's quality is made of, so that who has it need not make it again. A mark never comes twice,
-- in this database or another.
create table quality_marks (
  codebook text not null,
  frame    text not null,
  mark     uuid not null,
  primary key (codebook, frame)
);

create function mark_quality() returns trigger
language plpgsql as $$
begin
  insert into quality_marks (codebook, frame, mark)
  select codebook, frame, gen_random_uuid() from (select distinct codebook, frame from changed order by 1, 2) c
  on conflict (codebook, frame) do update set mark = excluded.mark;
  return null;
end $$;

create trigger labels_added after insert on labels
  referencing new table as changed for each statement execute function mark_quality();
create trigger labels_changed after update on labels
  referencing new table as changed for each statement execute function mark_quality();
create trigger labels_gone after delete on labels
  referencing old table as changed for each statement execute function mark_quality();
create trigger samples_added after insert on samples
  referencing new table as changed for each statement execute function mark_quality();
create trigger samples_gone after delete on samples
  referencing old table as changed for each statement execute function mark_quality();
create trigger threshold_units_added after insert on threshold_units
  referencing new table as changed for each statement execute function mark_quality();

-- A sampled post that was edited is scored again, one that was erased no more.
create function mark_quality_of_scores() returns trigger
language plpgsql as $$
begin
  insert into quality_marks (codebook, frame, mark)
  select codebook, frame, gen_random_uuid()
  from (select distinct s.codebook, s.frame from gone g join samples s on s.post_id = g.post_id order by 1, 2) c
  on conflict (codebook, frame) do update set mark = excluded.mark;
  return null;
end $$;
create trigger scores_gone after delete on scores
  referencing old table as gone for each statement execute function mark_quality_of_scores();

insert into quality_marks (codebook, frame, mark)
select codebook, frame, gen_random_uuid()
from (select codebook, frame from labels union select codebook, frame from samples
      union select codebook, frame from threshold_units) t;
