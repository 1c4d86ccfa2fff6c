"""The shipped catalogue: TOML files with devices, masts, towers and prices. No code.

Every value names its source or says that it is an assumption; all prices are examples to be
replaced. :func:`watchline.io.catalogue.load_catalogue` reads them.
"""
