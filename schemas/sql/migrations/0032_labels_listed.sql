-- Labels are told a page at a time, the newest answer first, and one of them is named by a number.
alter table labels add column label_id bigint generated always as identity;
create unique index labels_label on labels (label_id);
create index labels_newest on labels (judged_at, label_id);
-- A judge is told those of his own, of which there may be few among many.
create index labels_newest_of_judge on labels (judge, judged_at, label_id);
