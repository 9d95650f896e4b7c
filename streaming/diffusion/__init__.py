"""The embedded network: its model, training and export. Only these modules import torch."""
