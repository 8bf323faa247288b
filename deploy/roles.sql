-- The roles of fangpin. Run once per cluster by someone who may create roles; running it again changes nothing.
-- fangpin_owner owns all tables and cannot log in. Each service acts as fangpin_<service> (rows limited by the scope
-- of the transaction) and its worker as fangpin_<service>_worker (all rows, by an explicit policy). Nobody has
-- BYPASSRLS. A login user of a deployment gets exactly the roles it needs: GRANT fangpin_intake,
-- fangpin_intake_worker, fangpin_directory TO intake_login.
DO $$
DECLARE
    name text;
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
        IF NOT pg_has_role(current_user, name, 'MEMBER') THEN
            EXECUTE format('GRANT %I TO CURRENT_USER', name);
        END IF;
    END LOOP;
    EXECUTE format('GRANT CREATE ON DATABASE %I TO fangpin_owner', current_database());
END
$$;
