"""What will go wrong on this machine, before it does, and the exact fix.

    from pathlib import Path
    from edge_runtime.doctor.examine import examine
    from edge_runtime.doctor.machine import Machine

    for finding in examine(Machine(bundle=Path("bundle"))):
        print(finding.severity, finding.code, finding.found, finding.fix)

A check looks at one thing and knows the problems that it can find there. `examine.CHECKS` lists
them all: the command, the table in docs/reference/doctor.md and the tests follow it.
"""
