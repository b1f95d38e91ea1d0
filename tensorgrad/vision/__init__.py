"""What scripts take from torchvision: its smallest data sets, the commonest transforms, grids of images saved as files.

torchvision cannot be installed without PyTorch; `tensorgrad.as_torch` resolves it to this. Images are arrays of bytes,
(height, width) or (height, width, channels), or Pillow's, until `transforms.ToTensor` makes them tensors.
"""

from tensorgrad.vision import datasets, transforms, utils
