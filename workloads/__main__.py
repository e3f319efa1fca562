"""``python -m workloads run …`` is ``fedras run …``: for jobs whose cluster has no installed command."""

from workloads.cli import main

if __name__ == "__main__":
    main()
