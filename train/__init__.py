"""People in, trained networks out: augmentation, the model families, training, evaluation."""
