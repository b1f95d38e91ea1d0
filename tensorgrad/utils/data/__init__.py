"""Data sets, samplers and the DataLoader, with PyTorch's names."""

from tensorgrad.utils.data.collate import default_collate, default_convert
from tensorgrad.utils.data.dataloader import DataLoader
from tensorgrad.utils.data.dataset import (
    ChainDataset,
    ConcatDataset,
    Dataset,
    IterableDataset,
    StackDataset,
    Subset,
    TensorDataset,
    random_split,
)
from tensorgrad.utils.data.sampler import (
    BatchSampler,
    RandomSampler,
    Sampler,
    SequentialSampler,
    SubsetRandomSampler,
    WeightedRandomSampler,
)
from tensorgrad.utils.data.worker import WorkerError, WorkerInfo, get_worker_info
