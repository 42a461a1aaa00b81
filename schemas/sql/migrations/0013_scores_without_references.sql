-- Scores and what carries a frame are written by the hundred thousand, under versions that are locked meanwhile and models
-- that are never deleted: looking both up for every row cost nearly half of writing them (docs/decisions/0029).
alter table scores drop constraint scores_version_id_fkey, drop constraint scores_model_id_fkey;
alter table carried drop constraint carried_version_id_fkey;
