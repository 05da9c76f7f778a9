# The ROC curve of every label. Needs: input, output, title.
set terminal svg size 500,340 dynamic background "white" font "sans-serif,13"
set output output
set title title noenhanced
set xtics nomirror
set ytics nomirror
set xlabel "Share of others that get the label (%)"
set ylabel "Share of its own texts that get it (%)"
set xrange [0:100]
set yrange [0:100]
set key bottom right noenhanced
set grid lc rgb "#dddddd"
stats input using 1 nooutput
plot for [i=0:STATS_blocks-1] input index i using (100*$1):(100*$2) with lines lw 2 title columnheader(1), \
     x with lines lw 1 dt 3 lc rgb "#444444" title "by chance"
