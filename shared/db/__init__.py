"""PostgreSQL: table bases, pools per role, row scope, embedded server, migrations."""
