"""Intake (采集): takes in departments' files and households' own reports, and explains what is wrong."""
