# To be read by scripts that ask git about this checkout, whose folder is $here: where the sources were unpacked inside the checkout
# of another project, git says nothing about them.
if [ "$(git -C "$here" rev-parse --show-toplevel 2> /dev/null)" != "${here%/Sources/gpt2}" ]; then git() { false; }; fi
