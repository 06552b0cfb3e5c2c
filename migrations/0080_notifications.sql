-- Why: whoever is concerned by a deployment is told without looking. `outbox_events` holds what happened, written with the change
-- itself; here is where it goes (channels, rules) and what became of each message (deliveries).
CREATE TABLE notification_channels (
  id uuid PRIMARY KEY,
  name text NOT NULL UNIQUE CHECK (name ~ '^[a-z][a-z0-9-]{0,62}$'),
  kind text NOT NULL,
  -- Secrets inside are sealed before they come here.
  config jsonb NOT NULL,
  language text NOT NULL CHECK (language IN ('en', 'fr')),
  enabled boolean NOT NULL,
  created_at timestamptz NOT NULL DEFAULT now(),
  updated_at timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE notification_rules (
  id uuid PRIMARY KEY,
  channel_id uuid NOT NULL REFERENCES notification_channels (id) ON DELETE CASCADE,
  -- Null: not asked.
  team text,
  system text,
  environment text,
  tier text CHECK (tier IN ('development', 'staging', 'production')),
  -- Empty: all kinds.
  events text[] NOT NULL,
  enabled boolean NOT NULL,
  created_at timestamptz NOT NULL DEFAULT now(),
  updated_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX notification_rules_channel ON notification_rules (channel_id);

-- One message to one destination: a mailbox has a row of its own, so that one that refuses does not stop the others.
CREATE TABLE notification_deliveries (
  id uuid PRIMARY KEY,
  event_id bigint NOT NULL REFERENCES outbox_events (id),
  -- Null when the channel was deleted; its name stays.
  channel_id uuid REFERENCES notification_channels (id) ON DELETE SET NULL,
  channel text NOT NULL,
  recipient text NOT NULL DEFAULT '',
  event text NOT NULL,
  service text,
  environment text,
  deployment_id uuid,
  state text NOT NULL DEFAULT 'waiting' CHECK (state IN ('waiting', 'delivered', 'failed')),
  attempts integer NOT NULL DEFAULT 0,
  next_at timestamptz NOT NULL DEFAULT now(),
  lease_owner text,
  lease_until timestamptz,
  -- What the last attempt was answered: template and arguments, to be said in the reader's language.
  answer jsonb,
  created_at timestamptz NOT NULL DEFAULT now(),
  ended_at timestamptz,
  CHECK ((state = 'waiting') = (ended_at IS NULL))
);
-- The same event is laid out once, whoever does it and however often.
CREATE UNIQUE INDEX notification_deliveries_once ON notification_deliveries (event_id, channel_id, recipient);
CREATE INDEX notification_deliveries_due ON notification_deliveries (channel_id, next_at) WHERE state = 'waiting';
CREATE INDEX notification_deliveries_age ON notification_deliveries (created_at DESC, id DESC);
