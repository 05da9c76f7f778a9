# Training and validation accuracy over epochs and examples seen. Needs: input, output, steps (per epoch), batch.
set terminal svg size 640,400 dynamic background "white" font "sans-serif,13"
set output output
set xlabel "Epochs"
set ylabel "Accuracy"
set x2label "Examples seen"
set xtics nomirror
set x2tics
set link x2 via x*steps*batch inverse x/(steps*batch)
set yrange [*:1]
set key bottom right
set grid ytics lc rgb "#dddddd"
plot input using 1:2 with linespoints lw 2 pt 7 ps 0.5 lc rgb "#1f77b4" title "Training accuracy", \
     input using 1:3 with linespoints lw 2 dt 2 pt 7 ps 0.5 lc rgb "#ff7f0e" title "Validation accuracy"
