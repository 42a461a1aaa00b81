"""The pages: each reads the store once and fills a template, or does what a form asks and goes on to a page.

What is decided is decided in services.analysis; what is written, services.store writes.
"""
