-- Why: service level objectives, what was measured for them, and what is left of their budgets. Counts are thousandths of an event, or millionths
-- of a slice where the budgeting method counts slices of time.
CREATE TABLE slo_sources (
  id uuid PRIMARY KEY,
  format text NOT NULL CHECK (format IN ('openslo', 'five_line')),
  -- The file as it was given; an export gives back these bytes.
  content text NOT NULL,
  created_at timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE slos (
  id uuid PRIMARY KEY,
  service_id uuid NOT NULL REFERENCES entities (id),
  -- NULL: counts for every environment of the service.
  environment_id uuid REFERENCES environments (id),
  connection_id uuid NOT NULL REFERENCES connections (id),
  source_id uuid NOT NULL REFERENCES slo_sources (id),
  name text NOT NULL CHECK (name ~ '^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$'),
  title text NOT NULL,
  -- One OpenSLO document: what the source means.
  definition text NOT NULL,
  min_bad_events bigint NOT NULL DEFAULT 0 CHECK (min_bad_events >= 0),
  created_at timestamptz NOT NULL DEFAULT now(),
  updated_at timestamptz NOT NULL DEFAULT now(),
  UNIQUE (service_id, name)
);
CREATE INDEX slos_connection ON slos (connection_id);
CREATE INDEX slos_source ON slos (source_id);
CREATE INDEX slos_environment ON slos (environment_id);

-- How far the source was read. Minutes are minutes since 1970.
CREATE TABLE slo_progress (
  slo_id uuid PRIMARY KEY REFERENCES slos (id) ON DELETE CASCADE,
  read_to bigint,
  first_minute bigint,
  last_minute bigint,
  source_error text,
  reconciled_at timestamptz,
  -- Share by which the source's own count of a day differs from ours.
  drift double precision
);

-- Sixty minutes a row, with running totals before it: a window is the difference of two rows. -1 is a minute without data.
CREATE TABLE slo_hours (
  slo_id uuid NOT NULL REFERENCES slos (id) ON DELETE CASCADE,
  hour bigint NOT NULL,
  bad_before bigint NOT NULL,
  total_before bigint NOT NULL,
  known_before bigint NOT NULL,
  bad bigint[] NOT NULL CHECK (cardinality(bad) = 60),
  total bigint[] NOT NULL CHECK (cardinality(total) = 60),
  PRIMARY KEY (slo_id, hour)
);

-- What the last pass found, for lists; a gate computes anew.
CREATE TABLE slo_status (
  slo_id uuid PRIMARY KEY REFERENCES slos (id) ON DELETE CASCADE,
  remaining double precision NOT NULL,
  verdict text NOT NULL CHECK (verdict IN ('ok', 'warn', 'approval', 'block')),
  state text NOT NULL CHECK (state IN ('ok', 'no_traffic', 'no_data', 'partial')),
  checked_at timestamptz NOT NULL
);
CREATE INDEX slo_status_remaining ON slo_status (remaining, slo_id);

CREATE TABLE slo_corrections (
  id uuid PRIMARY KEY,
  slo_id uuid NOT NULL REFERENCES slos (id) ON DELETE CASCADE,
  from_at timestamptz NOT NULL,
  to_at timestamptz NOT NULL CHECK (to_at > from_at),
  reason text NOT NULL,
  approver text NOT NULL,
  remaining_before text NOT NULL,
  remaining_after text NOT NULL,
  created_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX slo_corrections_slo ON slo_corrections (slo_id, to_at);
-- Entries are added, never changed. They go only with their SLO.
REVOKE UPDATE ON slo_corrections FROM passerelle_app;

CREATE TABLE slo_policies (
  tier text PRIMARY KEY CHECK (tier IN ('development', 'staging', 'production')),
  -- Remaining budget in percent.
  warn_below integer NOT NULL,
  approval_below integer NOT NULL,
  block_at integer NOT NULL,
  -- The least verdict when data is missing, stale or partial.
  missing text NOT NULL CHECK (missing IN ('ok', 'warn', 'approval', 'block')),
  CHECK (warn_below >= approval_below AND approval_below >= block_at)
);
INSERT INTO slo_policies VALUES
  ('development', 25, 10, 0, 'warn'), ('staging', 25, 10, 0, 'warn'), ('production', 25, 10, 0, 'block');
