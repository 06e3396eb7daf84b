"""The kernel of Ropes: knows no feature; plugins bring those."""
