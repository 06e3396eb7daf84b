"""Where networks send what happened."""
