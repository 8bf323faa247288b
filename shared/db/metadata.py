"""The tables of each schema, found by name so that shared code knows no service."""

from importlib import import_module

from sqlalchemy import MetaData

from shared.db import base

_BASES = {
    "intake": (base.IntakeTable, ("services.intake.tables",)),
    "monitoring": (base.MonitoringTable, ("services.monitoring.tables",)),
    "alerts": (base.AlertsTable, ("services.alerts.tables",)),
    "directory": (base.DirectoryTable, ("shared.regions.tables", "shared.security.tables")),
}


def metadata_of(schema: str) -> MetaData:
    """All tables of `schema`."""
    table_base, modules = _BASES[schema]
    for name in modules:
        import_module(name)
    return table_base.metadata
