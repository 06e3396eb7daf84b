"""Running the product: a free port, the web server and the worker under one roof, the address."""
