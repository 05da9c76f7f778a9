#include "CProducts.h"

#include <string.h>

// A tile of C takes ROWS·COLUMNS vector registers, and those of B and A must find a place beside it: of 32 with AVX-512 and on
// ARM, of 16 otherwise.

#if defined(__x86_64__)
#pragma clang attribute push(__attribute__((target("avx512f,avx2,fma"))), apply_to = function)
#define NAME(x) avx512_##x
#define LANES 16
#define ROWS 6
#define COLUMNS 4
#include "product.h"
#undef NAME
#undef LANES
#undef ROWS
#undef COLUMNS
#pragma clang attribute pop

#pragma clang attribute push(__attribute__((target("avx2,fma"))), apply_to = function)
#define NAME(x) avx2_##x
#define LANES 8
#define ROWS 6
#define COLUMNS 2
#include "product.h"
#undef NAME
#undef LANES
#undef ROWS
#undef COLUMNS
#pragma clang attribute pop
#endif

#define NAME(x) any_##x
#define LANES 4
#define ROWS 6
#define COLUMNS 2
#include "product.h"

void small_product(int lanes, bool transpose_b, int64_t m, int64_t n, int64_t k, float scale, const float *a,
                   int64_t stride_a, const float *b, int64_t stride_b, float *c, int64_t stride_c) {
#if defined(__x86_64__)
    if (lanes >= 16) {
        avx512_product(transpose_b, m, n, k, scale, a, stride_a, b, stride_b, c, stride_c);
        return;
    }
    if (lanes >= 8) {
        avx2_product(transpose_b, m, n, k, scale, a, stride_a, b, stride_b, c, stride_c);
        return;
    }
#else
    (void)lanes;
#endif
    any_product(transpose_b, m, n, k, scale, a, stride_a, b, stride_b, c, stride_c);
}
