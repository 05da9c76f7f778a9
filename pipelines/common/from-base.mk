# Options of finetune that suit pipelines/base and about a thousand texts: all layers, read by the mean over the text. Chosen on
# folds of the training and validation parts of demo and routing. FROM_BASE_EPOCHS is a pipeline's own number of epochs.
FROM_BASE := --trainable all --pool mean-text --epochs $(or $(FROM_BASE_EPOCHS),6) --batch 16 --lr 3e-4 --schedule linear --warmup 0.1 --dropout 0.1 \
  --label-smoothing 0.1 --training-precision auto
