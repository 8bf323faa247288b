"""The tables of schema `monitoring`, a module for each subject: the only definition of its structure."""

from services.monitoring import (
    tables_answers,
    tables_assessments,
    tables_dashboard,
    tables_facts,
    tables_identity,
    tables_lists,
    tables_log,
    tables_messages,
    tables_policies,
    tables_quality,
    tables_register,
)

__all__ = [
    "tables_answers",
    "tables_assessments",
    "tables_dashboard",
    "tables_facts",
    "tables_identity",
    "tables_lists",
    "tables_log",
    "tables_messages",
    "tables_policies",
    "tables_quality",
    "tables_register",
]
