// The product for vectors of LANES floats. products.c includes this once for each kind of CPU.
//
// C is made of tiles of up to ROWS rows and COLUMNS vectors, each number summed from the first to the last of k in a register. A
// transposed B is turned, a band at a time, into one that isn't.

#if defined(__clang__)
#pragma clang fp contract(fast)
#endif

typedef float NAME(vector) __attribute__((vector_size(4 * LANES), aligned(4)));
typedef float NAME(four) __attribute__((vector_size(16), aligned(4)));

/// Columns that a band of a transposed B has, and how much of k is turned at a time.
enum { NAME(band) = COLUMNS * LANES, NAME(depth) = 64 };

/// The first `count` numbers; 0 for the others.
static inline NAME(vector) NAME(load)(const float *from, int64_t count) {
    NAME(vector) result = {0};
    if (count == LANES) return *(const NAME(vector) *)from;
    memcpy(&result, from, 4 * (size_t)count);
    return result;
}

/// `rows` rows and `count` vectors of columns of C, the last with `rest` columns: scale·A·B, or that added. B's last vector is
/// whole where it `is_padded`.
static inline __attribute__((always_inline)) void NAME(tile)(
    const int rows, const int count, const int64_t rest, const bool is_padded, int64_t k, float scale, const float *a,
    int64_t stride_a, const float *b, int64_t stride_b, bool add, float *c, int64_t stride_c) {
    NAME(vector) sums[ROWS][COLUMNS];
    for (int i = 0; i < rows; i++)
        for (int j = 0; j < count; j++) sums[i][j] = (NAME(vector)){0};
    for (int64_t p = 0; p < k; p++) {
        NAME(vector) right[COLUMNS];
        for (int j = 0; j < count; j++)
            right[j] = NAME(load)(b + p * stride_b + j * LANES, j == count - 1 && !is_padded ? rest : LANES);
        for (int i = 0; i < rows; i++) {
            const float left = a[i * stride_a + p];
            for (int j = 0; j < count; j++) sums[i][j] += left * right[j];
        }
    }
    for (int i = 0; i < rows; i++)
        for (int j = 0; j < count; j++) {
            float *to = c + i * stride_c + j * LANES;
            const int64_t width = j == count - 1 ? rest : LANES;
            NAME(vector) result = scale * sums[i][j];
            if (add) result += NAME(load)(to, width);
            if (width == LANES) {
                *(NAME(vector) *)to = result;
            } else {
                memcpy(to, &result, 4 * (size_t)width);
            }
        }
}

/// Up to COLUMNS vectors of columns of C.
static inline __attribute__((always_inline)) void NAME(columns)(
    int64_t m, int64_t n, const bool is_padded, int64_t k, float scale, const float *a, int64_t stride_a, const float *b,
    int64_t stride_b, bool add, float *c, int64_t stride_c) {
    const int count = (int)((n + LANES - 1) / LANES);
    const int64_t rest = n - (int64_t)(count - 1) * LANES;
    int64_t row = 0;
#define TILE(R, N, W)                                                                                              \
    NAME(tile)(R, N, W, is_padded, k, scale, a + row * stride_a, stride_a, b, stride_b, add, c + row * stride_c, stride_c)
#define TILES(R)                                                                                                   \
    for (; m - row >= R; row += R) {                                                                               \
        if (count == COLUMNS && rest == LANES) TILE(R, COLUMNS, LANES);                                            \
        else if (count == 1) TILE(R, 1, rest);                                                                     \
        else if (count == 2) TILE(R, 2, rest);                                                                     \
        else if (COLUMNS > 2 && count == 3) TILE(R, COLUMNS > 2 ? 3 : 1, rest);                                    \
        else TILE(R, COLUMNS, rest);                                                                               \
    }
    TILES(ROWS)
    TILES(3)
    TILES(1)
#undef TILES
#undef TILE
}

/// turned [k,n] = the transpose of b [n,k].
static void NAME(turn)(float *turned, int64_t stride, int64_t n, int64_t k, const float *b, int64_t stride_b) {
    int64_t row = 0;
    for (; row + 4 <= n; row += 4) {
        const float *from = b + row * stride_b;
        int64_t p = 0;
        for (; p + 4 <= k; p += 4) {
            NAME(four) x[4], low[2], high[2];
            for (int i = 0; i < 4; i++) x[i] = *(const NAME(four) *)(from + i * stride_b + p);
            for (int i = 0; i < 2; i++) {
                low[i] = __builtin_shufflevector(x[2 * i], x[2 * i + 1], 0, 4, 1, 5);
                high[i] = __builtin_shufflevector(x[2 * i], x[2 * i + 1], 2, 6, 3, 7);
            }
            float *to = turned + p * stride + row;
            *(NAME(four) *)to = __builtin_shufflevector(low[0], low[1], 0, 1, 4, 5);
            *(NAME(four) *)(to + stride) = __builtin_shufflevector(low[0], low[1], 2, 3, 6, 7);
            *(NAME(four) *)(to + 2 * stride) = __builtin_shufflevector(high[0], high[1], 0, 1, 4, 5);
            *(NAME(four) *)(to + 3 * stride) = __builtin_shufflevector(high[0], high[1], 2, 3, 6, 7);
        }
        for (; p < k; p++)
            for (int i = 0; i < 4; i++) turned[p * stride + row + i] = from[i * stride_b + p];
    }
    for (; row < n; row++)
        for (int64_t p = 0; p < k; p++) turned[p * stride + row] = b[row * stride_b + p];
}

static void NAME(product)(bool transpose_b, int64_t m, int64_t n, int64_t k, float scale, const float *a, int64_t stride_a,
                          const float *b, int64_t stride_b, float *c, int64_t stride_c) {
    for (int64_t column = 0; column < n; column += NAME(band)) {
        const int64_t width = n - column < NAME(band) ? n - column : NAME(band);
        if (!transpose_b) {
            NAME(columns)(m, width, false, k, scale, a, stride_a, b + column, stride_b, false, c + column, stride_c);
            continue;
        }
        float turned[NAME(depth)][NAME(band)];
        if (width % LANES != 0)  // numbers that no result depends on, but which would take long if they weren't numbers
            for (int p = 0; p < NAME(depth); p++) *(NAME(vector) *)(turned[p] + width / LANES * LANES) = (NAME(vector)){0};
        for (int64_t first = 0; first < k; first += NAME(depth)) {
            const int64_t depth = k - first < NAME(depth) ? k - first : NAME(depth);
            NAME(turn)(turned[0], NAME(band), width, depth, b + column * stride_b + first, stride_b);
            NAME(columns)(m, width, true, depth, scale, a + first, stride_a, turned[0], NAME(band), first > 0, c + column,
                          stride_c);
        }
    }
}
