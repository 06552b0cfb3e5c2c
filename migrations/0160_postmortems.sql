-- Why: an incident that spends more than a fifth of an error budget is something to learn from, so it opens a task that somebody closes with
-- what was learnt.
CREATE TABLE slo_postmortems (
  id uuid PRIMARY KEY,
  slo_id uuid NOT NULL REFERENCES slos (id) ON DELETE CASCADE,
  -- The first failure and the last one so far, to the minute.
  began_at timestamptz NOT NULL,
  ended_at timestamptz NOT NULL CHECK (ended_at > began_at),
  -- Bad events between them, in the unit of slo_hours, and the share of the budget that they were.
  bad bigint NOT NULL,
  spent double precision NOT NULL,
  opened_at timestamptz NOT NULL DEFAULT now(),
  closed_at timestamptz,
  closed_by text,
  link text,
  words text,
  CHECK ((closed_at IS NULL) = (closed_by IS NULL)),
  CHECK (closed_at IS NULL OR link IS NOT NULL OR words IS NOT NULL),
  UNIQUE (slo_id, began_at)
);
CREATE INDEX slo_postmortems_open ON slo_postmortems (opened_at DESC) WHERE closed_at IS NULL;

-- The minute up to which incidents were looked for. NULL: never yet.
ALTER TABLE slo_status ADD COLUMN incidents_to bigint;
