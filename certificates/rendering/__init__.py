"""From an award to its paper: the page in HTML, the rope, the QR code, WeasyPrint behind one door."""
