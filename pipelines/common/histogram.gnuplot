# Texts by the probability of the label that they got. Needs: input, output, title.
set terminal svg size 500,340 dynamic background "white" font "sans-serif,13"
set output output
set title title noenhanced
set xtics nomirror
set ytics nomirror
set xlabel "Probability of the label (%)"
set ylabel "Texts"
set xrange [0:100]
set yrange [0:*]
set key top left
set style fill solid 0.8 noborder
set boxwidth 4.2
set grid ytics lc rgb "#dddddd"
plot input using (100*$1):($2+$3) with boxes lc rgb "#d62728" title "wrong", \
     input using (100*$1):2 with boxes lc rgb "#1f77b4" title "right"
