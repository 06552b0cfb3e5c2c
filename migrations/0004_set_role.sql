-- Why: from Postgres 16 on, whoever makes a role is its member without the right to act as it, unless a superuser made it.
-- The membership that 0001 looks for is then there, and `SET ROLE passerelle_app` is refused nevertheless.
DO $$
BEGIN
  IF current_setting('server_version_num')::int >= 160000 THEN
    -- Nested: older servers do not know the privilege SET.
    IF NOT pg_has_role(current_user, 'passerelle_app', 'SET') THEN
      EXECUTE format('GRANT passerelle_app TO %I WITH SET TRUE', current_user);
    END IF;
  END IF;
END $$;
