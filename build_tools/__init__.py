"""The steps behind `build.py`. Only the standard library is imported: any Python 3.11 runs them."""
