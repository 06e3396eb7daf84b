"""The xAPI profile of Ropes."""
