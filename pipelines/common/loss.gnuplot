# Training and validation loss over epochs and examples seen. Needs: input, output, steps (per epoch), batch.
set terminal svg size 640,400 dynamic background "white" font "sans-serif,13"
set output output
set xlabel "Epochs"
set ylabel "Loss"
set x2label "Examples seen"
set xtics nomirror
set x2tics
set link x2 via x*steps*batch inverse x/(steps*batch)
set yrange [0:*]
set xrange [0:*]
set key top right
set grid ytics lc rgb "#dddddd"
plot input using ($1/steps):2 with lines lw 2 lc rgb "#1f77b4" title "Training loss", \
     input using ($1/steps):3 with lines lw 2 dt 2 lc rgb "#ff7f0e" title "Validation loss"
