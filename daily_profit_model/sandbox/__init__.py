"""A simulated proprietary-trading firm and the HTTP server that speaks its risk API.

It stands for the outside world: nothing here imports the rest of the package, and the rest of the
package meets it over HTTP only. The assumptions are listed in docs/sandbox.md.
"""
