"""`python -m train`: synthetic people, data packed for another machine, training, evaluation."""

import os
import sys

os.environ.setdefault("KERAS_BACKEND", "tensorflow")
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

from train.cli import main

if __name__ == "__main__":
    sys.exit(main())
