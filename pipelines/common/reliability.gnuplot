# The share of right labels at each probability, before and after calibration. Needs: input, output, title.
set terminal svg size 500,340 dynamic background "white" font "sans-serif,13"
set output output
set title title noenhanced
set xtics nomirror
set ytics nomirror
set xlabel "Probability of the label (%)"
set ylabel "Share of right labels (%)"
set xrange [*<50:100]
set yrange [0:100]
set key bottom right
set grid lc rgb "#dddddd"
plot input index 0 using (100*$1):(100*$2) with linespoints lw 2 pt 7 ps 0.6 lc rgb "#1f77b4" title "as they are", \
     input index 1 using (100*$1):(100*$2) with linespoints lw 2 dt 2 pt 5 ps 0.6 lc rgb "#ff7f0e" title "calibrated", \
     x with lines lw 1 dt 3 lc rgb "#444444" title "as promised"
