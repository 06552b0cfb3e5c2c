-- Why: `passerelle secrets rotate` gives everything that is sealed a new key while other processes work (docs/adr/0023-sealing-keys.md). A key lies
-- here wrapped under one derived from `secret.key`, so who has the database alone still opens nothing. Values of before (`v1:`) are sealed under a key
-- derived from `secret.key` itself, which has the number 0 and no row.
CREATE SEQUENCE sealing_key_numbers AS integer;

CREATE TABLE sealing_keys (
  -- Never given twice, so that no process takes one key for another.
  number integer PRIMARY KEY CHECK (number > 0),
  wrapped text NOT NULL,
  made_at timestamptz NOT NULL DEFAULT now(),
  -- When nothing was sealed with another key any more; none while the rotation is under way.
  finished_at timestamptz
);
