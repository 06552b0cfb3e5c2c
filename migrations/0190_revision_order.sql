-- Why: the rows after (revision, id) are asked for before each import and each look at a new service. One import gives all of its rows one
-- revision, and without the id behind it every one of them was read and left out again.
CREATE INDEX entities_revision_id ON entities (revision, id);
DROP INDEX entities_revision;
