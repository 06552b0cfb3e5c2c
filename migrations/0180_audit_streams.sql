-- Why: the audit also goes to collectors elsewhere, row by row in the order of the chain. How far each has come has to outlive the process.
CREATE TABLE audit_streams (
  id text PRIMARY KEY,
  -- The last position of the chain that was taken.
  position bigint NOT NULL DEFAULT 0,
  sent_at timestamptz,
  failing_since timestamptz,
  failure json
);
