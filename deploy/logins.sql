-- The login users of a deployment: run with psql by the superuser, in the database of fangpin, after roles.sql.
-- Passwords come from the environment and a missing one stops the run. Run again to change passwords.
-- A login owns nothing and inherits nothing: it can only act as the roles granted here.
\set ON_ERROR_STOP on
\getenv migrate_password MIGRATE_DB_PASSWORD
\getenv intake_password INTAKE_DB_PASSWORD
\getenv monitoring_password MONITORING_DB_PASSWORD
\getenv alerts_password ALERTS_DB_PASSWORD

-- Statements that carry a password stay out of the server's log.
SET log_statement = 'none';
SET log_min_duration_statement = -1;
SET log_min_error_statement = 'panic';

SELECT format('CREATE ROLE %I NOINHERIT', name)
FROM unnest(ARRAY['migrate_login', 'intake_login', 'monitoring_login', 'alerts_login']) AS name
WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = name) \gexec

ALTER ROLE migrate_login LOGIN NOINHERIT NOSUPERUSER NOCREATEDB NOCREATEROLE NOBYPASSRLS PASSWORD :'migrate_password';
ALTER ROLE intake_login LOGIN NOINHERIT NOSUPERUSER NOCREATEDB NOCREATEROLE NOBYPASSRLS PASSWORD :'intake_password';
ALTER ROLE monitoring_login LOGIN NOINHERIT NOSUPERUSER NOCREATEDB NOCREATEROLE NOBYPASSRLS PASSWORD :'monitoring_password';
ALTER ROLE alerts_login LOGIN NOINHERIT NOSUPERUSER NOCREATEDB NOCREATEROLE NOBYPASSRLS PASSWORD :'alerts_password';

GRANT fangpin_owner TO migrate_login;
GRANT fangpin_intake, fangpin_intake_worker, fangpin_directory TO intake_login;
GRANT fangpin_monitoring, fangpin_monitoring_worker, fangpin_directory TO monitoring_login;
GRANT fangpin_alerts, fangpin_alerts_worker, fangpin_directory TO alerts_login;

SELECT format('REVOKE CONNECT ON DATABASE %I FROM PUBLIC', current_database()) \gexec
SELECT format('GRANT CONNECT ON DATABASE %I TO migrate_login, intake_login, monitoring_login, alerts_login',
              current_database()) \gexec
