-- Why: readiness asks, as the application, whether every migration of the binary is applied.
GRANT SELECT ON _sqlx_migrations TO passerelle_app;
