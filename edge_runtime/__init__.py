"""What runs on the device: a bundle, a face and a voice in, a decision out.

This package stands alone: numpy, an interpreter for `.tflite` files, and what reads pictures and
sound files. It never imports TensorFlow, Keras, librosa, or the training and conversion folders.
"""

__version__ = "0.1.0"
