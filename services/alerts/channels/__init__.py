"""The ways a message leaves: one file each, all behind `Channel`. The inbox is inside our own transaction."""
