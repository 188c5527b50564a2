"""The mathematics. Imports NumPy; never prints, never opens a file."""
