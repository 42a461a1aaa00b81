-- How a post stands to a frame that it carries, where stance is read at all, and what read it.

-- Readers of stance as they were learned, one a model and set of lessons: every worker reads by the same.
create table stance_readers (
  reader_id  smallint generated always as identity primary key,
  model_id   smallint not null references models,
  lesson     text not null,
  body       bytea not null,
  learned_at timestamptz not null,
  unique (model_id, lesson)
);

alter table carried
  add column stance text check (stance in ('promotes', 'disputes', 'reports', 'unclear')),
  add column reader_id smallint references stance_readers,
  add constraint carried_stance_names_its_reader check ((stance is null) = (reader_id is null));
create index carried_unread on carried (post_id) where reader_id is null;
