# Training, validation and test accuracy over epochs. Needs: input, output, title, texts (per epoch), test (a share).
set terminal svg size 500,340 dynamic background "white" font "sans-serif,13"
set output output
set title title noenhanced
set xlabel sprintf("Epoch (of %d training texts)", texts)
set ylabel "Accuracy (%)"
set xtics nomirror
set ytics nomirror
set xrange [0:*]
set yrange [*:100]
set key bottom right
set grid ytics lc rgb "#dddddd"
plot input using 1:(100*$2) with linespoints lw 2 pt 7 ps 0.5 lc rgb "#1f77b4" title "Training", \
     input using 1:(100*$3) with linespoints lw 2 dt 2 pt 7 ps 0.5 lc rgb "#ff7f0e" title "Validation", \
     100*test with lines lw 1.5 dt 3 lc rgb "#444444" title sprintf("Test, after the last epoch: %.2f %%", 100*test)
