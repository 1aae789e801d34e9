"""The kit's second process: `python -m vlpbench.testing.worker` answers jobs, each in forks of itself."""

from __future__ import annotations

from vlpbench.testing.import_worker import imported
from vlpbench.testing.jobs import serve
from vlpbench.testing.process_worker import gradient_share

if __name__ == "__main__":
    serve({"import": imported, "gradient": gradient_share})
