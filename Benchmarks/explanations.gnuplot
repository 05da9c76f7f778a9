# The log-odds of a label while words are deleted. Needs: input, output.
set terminal svg size 640,400 dynamic background "white" font "sans-serif,13"
set output output
set xlabel "Words deleted (%)"
set ylabel "Log-odds of spam, mean (nats)"
set key autotitle columnhead top right
set xtics nomirror
set ytics nomirror
set grid ytics lc rgb "#dddddd"
plot input using (100*$1):2 with linespoints lw 2 pt 7 ps 0.5 lc rgb "#1f77b4", \
     input using (100*$1):3 with linespoints lw 2 dt 2 pt 7 ps 0.5 lc rgb "#ff7f0e"
