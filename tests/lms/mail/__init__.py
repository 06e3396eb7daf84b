"""Tests of lms.mail."""
