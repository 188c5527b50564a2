"""The mathematics. Imports NumPy and SciPy; never prints, never opens a file."""
