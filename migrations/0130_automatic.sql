-- Bindings that new releases are deployed to by themselves; looked for every few seconds.
CREATE INDEX bindings_automatic ON bindings (service_id) WHERE config @> '{"automatic": true}';
