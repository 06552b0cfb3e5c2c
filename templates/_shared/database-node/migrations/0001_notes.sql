-- A first table, to be replaced by yours.
-- A migration runs BEFORE the new version takes traffic, while the one before still runs: it must fit both.
-- Add now (expand), remove in a later release (contract); never rename in one step.
CREATE TABLE notes (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  text text NOT NULL,
  created_at timestamptz NOT NULL DEFAULT now()
);
