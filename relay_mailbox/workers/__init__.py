"""One mailbox in several processes, each with an identity, a store and ports of its own, under one supervisor.

`sharing` and `settings_text` say what each process is told, `tending` keeps them running, `tractor_processes` starts
them (and is with `tractor_here` the only place that knows of tractor), `control` answers the operator for all of them.
"""
