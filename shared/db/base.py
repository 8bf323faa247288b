"""One table base per schema, each with its own registry, so that three services fit into one process."""

from sqlalchemy import MetaData
from sqlalchemy.orm import registry
from sqlmodel import SQLModel

NAMING = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s",
    "pk": "pk_%(table_name)s",
}


def _metadata(schema: str) -> MetaData:
    return MetaData(schema=schema, naming_convention=NAMING)


class IntakeTable(SQLModel, registry=registry(metadata=_metadata("intake"))):
    """Base of the tables of schema `intake`."""


class MonitoringTable(SQLModel, registry=registry(metadata=_metadata("monitoring"))):
    """Base of the tables of schema `monitoring`."""


class AlertsTable(SQLModel, registry=registry(metadata=_metadata("alerts"))):
    """Base of the tables of schema `alerts`."""


class DirectoryTable(SQLModel, registry=registry(metadata=_metadata("directory"))):
    """Base of the tables of schema `directory`: places and clients, which all services look up and none owns."""
