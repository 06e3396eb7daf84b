"""People: opaque ids, names in one table, sign-in, roles, the organisation, who may see whom."""
