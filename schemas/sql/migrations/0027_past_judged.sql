-- A new version's past is judged once more under it, so that its trends keep their usual range and bursts.
alter table watches add column past_due boolean not null default false;

comment on column watches.past_due is
  'Whether buckets before evaluated_until are still to be judged under this version; they raise nothing.';
