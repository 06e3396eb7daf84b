"""Certificates that only real use of the network can earn and keep."""
