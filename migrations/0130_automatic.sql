-- Bindings that error budgets take deployments back of.
CREATE INDEX bindings_on_burn ON bindings (service_id) WHERE config ? 'roll_back_on_burn';
-- Bindings that new releases are deployed to by themselves; looked for every few seconds.
CREATE INDEX bindings_automatic ON bindings (service_id) WHERE config @> '{"automatic": true}';
