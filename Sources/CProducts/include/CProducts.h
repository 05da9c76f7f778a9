// Products of small matrices, which a short text's attention is made of. oneDNN makes its kernels when the first product is
// wanted, and that takes longer than a short text takes in a small model; these are compiled.
//
// Matrices are row-major. Everything runs on the calling thread. A row of the result has the same bits whatever rows are
// computed with it.

#ifndef CPRODUCTS_H
#define CPRODUCTS_H

#include <stdbool.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/// C = scale·A·B, with A [m,k], B [k,n] or transposed [n,k], C [m,n]; row strides in elements.
///
/// `lanes` is how many floats the CPU computes at a time: 16 for AVX-512, 8 for AVX2 with FMA, 4 for any CPU. A CPU that can't
/// do what it says ends the process with SIGILL.
void small_product(int lanes, bool transpose_b, int64_t m, int64_t n, int64_t k, float scale, const float *_Nonnull a,
                   int64_t stride_a, const float *_Nonnull b, int64_t stride_b, float *_Nonnull c, int64_t stride_c);

#ifdef __cplusplus
}
#endif

#endif
