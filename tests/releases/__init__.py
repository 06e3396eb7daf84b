"""A small company of each released version, and the test that upgrades every one of them."""
