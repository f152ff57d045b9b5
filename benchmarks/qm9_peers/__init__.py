"""What peers_qm9.py runs in the environments of the peers; it needs torch and NumPy alone."""
