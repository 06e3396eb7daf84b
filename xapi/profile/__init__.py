"""The xAPI profile of Ropes: what it says, how a statement is held against it, where it is read."""
