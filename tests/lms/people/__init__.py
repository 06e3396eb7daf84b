"""People: access, the tree, names, sign-in, import, erasing."""
