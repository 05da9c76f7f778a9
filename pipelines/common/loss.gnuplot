# Training and validation loss over epochs. Needs: input, output, title, steps (per epoch), texts (per epoch).
set terminal svg size 500,340 dynamic background "white" font "sans-serif,13"
set output output
set title title noenhanced
set xlabel sprintf("Epoch (of %d training texts)", texts)
set ylabel "Loss (cross entropy, nats)"
set xtics nomirror
set ytics nomirror
set yrange [0:*]
set xrange [0:*]
set key top right
set grid ytics lc rgb "#dddddd"
plot input using ($1/steps):2 with lines lw 2 lc rgb "#1f77b4" title "Training", \
     input using ($1/steps):3 with lines lw 2 dt 2 lc rgb "#ff7f0e" title "Validation"
