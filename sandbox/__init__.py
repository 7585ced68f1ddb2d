"""The whole world on one machine, on loopback: AWS, a provider that behaves like X, and an HTTP API before the functions.

Its rooms import downward only: ``gateway`` and ``sources`` use ``runtime``, which uses ``aws``, which uses ``template``. ``provider``
uses none of them. ``world`` starts them all.
"""
