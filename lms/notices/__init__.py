"""Notices: durable rows, sent as mail by a job."""
