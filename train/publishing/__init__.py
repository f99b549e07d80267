"""Publishing a checkpoint: its folder, model card and upload."""
