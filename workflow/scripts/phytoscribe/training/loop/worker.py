"""One rank of a training run: ``python -m phytoscribe.training.loop.worker JOB``, under torchrun.

JOB holds the call to make.  An error that a user can mend is left beside it, for the process that started
the ranks.
"""

from __future__ import annotations

import logging
import os
import pickle
import sys
from datetime import timedelta
from pathlib import Path

import torch
from torch import distributed

from phytoscribe.errors import PhytoScribeError

#: The first rank validates while the others wait.
PATIENCE = timedelta(hours=12)


def main(job: Path) -> None:
    work = pickle.loads(job.read_bytes())
    own_device = int(os.environ["LOCAL_RANK"])
    # Where there are too few, training on GPUs refuses to start (runs.require_devices), and says so.
    if own_device < torch.cuda.device_count():
        torch.cuda.set_device(own_device)
    distributed.init_process_group("cpu:gloo,cuda:nccl" if torch.cuda.is_available() else "gloo", timeout=PATIENCE)
    rank = distributed.get_rank()
    logging.basicConfig(
        stream=sys.stderr,
        level=logging.INFO if rank == 0 else logging.WARNING,
        format=f"%(asctime)s %(levelname)s rank {rank} %(name)s: %(message)s",
        force=True,
    )
    logging.captureWarnings(True)
    try:
        work()
    except PhytoScribeError as error:
        logging.getLogger("phytoscribe").error("%s", error)
        (job.parent / f"error.{rank:04d}").write_bytes(pickle.dumps((type(error), str(error))))
        raise SystemExit(1) from None
    finally:
        distributed.destroy_process_group()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
