"""How a trained backbone is asked: VQA, captioning and retrieval, by one short fine-tune that is the same for all."""
