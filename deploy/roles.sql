-- The roles of fangpin. Run once per cluster by someone who may create roles; running it again changes nothing.
-- fangpin_owner owns all tables and cannot log in. Each service acts as fangpin_<service> (rows limited by the scope
-- of the transaction) and its worker as fangpin_<service>_worker (all rows, by an explicit policy). Nobody has
-- BYPASSRLS. The login users of a deployment, each with exactly the roles it needs, are in logins.sql.
DO $$
DECLARE
    name text;
    -- Since PostgreSQL 16 the creator of a role is its member without being allowed to act as it.
    may_act text := CASE WHEN current_setting('server_version_num')::int >= 160000 THEN 'SET' ELSE 'MEMBER' END;
BEGIN
    FOREACH name IN ARRAY ARRAY[
        'fangpin_owner',
        'fangpin_intake', 'fangpin_intake_worker',
        'fangpin_monitoring', 'fangpin_monitoring_worker',
        'fangpin_alerts', 'fangpin_alerts_worker',
        'fangpin_directory', 'fangpin_directory_admin'
    ] LOOP
        IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = name) THEN
            EXECUTE format('CREATE ROLE %I NOLOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOBYPASSRLS', name);
        END IF;
        IF NOT pg_has_role(current_user, name, may_act) THEN
            EXECUTE format('GRANT %I TO CURRENT_USER', name);
        END IF;
    END LOOP;
    EXECUTE format('GRANT CREATE ON DATABASE %I TO fangpin_owner', current_database());
END
$$;
