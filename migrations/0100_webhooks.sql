-- Why: a delivery of a webhook is taken once, and a plan links to the commits between two releases.
SET LOCAL lock_timeout = '5s';
CREATE TABLE webhook_deliveries (
  connection_id uuid NOT NULL REFERENCES connections (id) ON DELETE CASCADE,
  -- The sender's own name of the delivery, which it keeps when it tries again.
  delivery text NOT NULL,
  heard_at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (connection_id, delivery)
);
CREATE INDEX webhook_deliveries_heard ON webhook_deliveries (heard_at);

-- Page of the repository, and the commit or tag there; NULL: not known.
ALTER TABLE releases ADD COLUMN repository_url text, ADD COLUMN git_ref text;
