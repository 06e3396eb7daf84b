"""Matrix: acts pushed to an application service, the past read room by room."""
