# What was reached as a share of the target. Needs: input (name, share), output, rows.
set terminal svg size 900,(80+26*rows) dynamic background "white" font "sans-serif,12"
set output output
set datafile separator "\t"
set logscale x 2
set xrange [0.125:16]
set xlabel "reached ÷ target (from 1 on the goal is met)"
set yrange [rows-0.4:-0.6]
set ytics nomirror
set grid xtics lc rgb "#dddddd"
set arrow from 1,graph 0 to 1,graph 1 nohead lw 2 lc rgb "#333333" front
clip(x) = x > 15.5 ? 15.5 : (x < 0.13 ? 0.13 : x)
unset key
plot input using (0.125):0:(0.125):(clip($2)):($0-0.35):($0+0.35):($2 >= 1 ? 0x2ca02c : 0xd62728):ytic(1) \
  with boxxyerror fillstyle solid 0.8 lc rgb variable
