-- Why: a request that is sent again under its Idempotency-Key after its process went away must find the deployment that it
-- made, and never make a second one; and the key must not stay reserved by a process that is gone.
-- An attempt that was refused is none: the same request may find the lock free later.
CREATE UNIQUE INDEX deployments_one_per_request ON deployments (request_id, service_id, environment_id)
  WHERE state <> 'blocked';

-- Asked before a binding is moved or taken away.
CREATE INDEX deployments_active_binding ON deployments (binding_id)
  WHERE state IN ('requested', 'awaiting_approval', 'queued', 'running', 'verifying');

-- The default is for version N-1, whose requests end within two minutes.
ALTER TABLE idempotency_keys
  -- Of the first request: who takes the key over goes on under the same id.
  ADD COLUMN request_id text NOT NULL DEFAULT '',
  ADD COLUMN holder uuid,
  ADD COLUMN reserved_until timestamptz NOT NULL DEFAULT now() + interval '2 minutes';
