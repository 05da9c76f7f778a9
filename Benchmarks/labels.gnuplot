# Accuracy over labelled texts, a line for each base. Needs: input (a table with a header), output, columns.
set terminal svg size 640,400 dynamic background "white" font "sans-serif,13"
set output output
set datafile separator "\t"
set title "routing: test accuracy"
set logscale x
set xlabel "Labelled texts"
set ylabel "%"
set xtics nomirror (50, 200, 1040)
set ytics nomirror
set xrange [40:1300]
set key bottom right
set grid ytics lc rgb "#dddddd"
plot for [column=2:columns] input using 1:column with linespoints lw 2 pt 7 ps 0.6 title columnheader(column)
