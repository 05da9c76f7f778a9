// The only door to oneDNN: what GPT-2 needs of it, and nothing of oneDNN's own types.
// Works with oneDNN 2.x (Debian 12) and 3.x (Debian 13, Ubuntu 24.04, Homebrew); shim.c hides where they differ.
//
// Matrices are row-major. Every function runs on the calling thread alone once that thread has called
// onednn_use_one_thread(). Functions that can fail return 0 for success, otherwise oneDNN's status code.

#ifndef CONEDNN_H
#define CONEDNN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/// The status of a function that got no memory.
enum { onednn_out_of_memory = 1 };

/// Keeps oneDNN's OpenMP runtime from starting threads for the calling thread.
void onednn_use_one_thread(void);

/// Whether this CPU multiplies bf16 faster than f32 (AVX512-BF16, AMX).
bool onednn_has_bf16(void);
/// Whether sums of two products of 8 by 8 bits are cut to 16 bits: then sources may have 7 bits only (before VNNI).
bool onednn_int8_saturates(void);

/// Floats in the widest vectors that oneDNN uses on this CPU: 16 (AVX-512), 8 (AVX2), or 4.
int onednn_float_lanes(void);

/// "2.6.3", as the loaded library says it.
const char *_Nonnull onednn_version(void);

/// C = alpha·A·B + beta·C, with A [m,k] or transposed [k,m], B [k,n] or transposed [n,k], C [m,n]; row strides in elements.
int onednn_sgemm(bool transpose_a, bool transpose_b, int64_t m, int64_t n, int64_t k,
                 float alpha, const float *_Nonnull a, int64_t stride_a, const float *_Nonnull b, int64_t stride_b,
                 float beta, float *_Nonnull c, int64_t stride_c);

typedef enum {
    ONEDNN_F32 = 0,
    ONEDNN_BF16 = 1,
    ONEDNN_U8 = 2,   ///< of sources; the weights are then signed, the destination is ONEDNN_S32, without a bias
    ONEDNN_S32 = 3,  ///< of destinations
} onednn_type;

/// What happens to a matmul's result before it is stored.
typedef enum {
    ONEDNN_STORE = 0,      ///< dst = src·W + b
    ONEDNN_GELU_TANH = 1,  ///< dst = gelu_tanh(src·W + b)
    ONEDNN_ADD = 2,        ///< dst = dst + src·W + b
} onednn_epilogue;

/// How the numbers of a matrix lie in memory.
typedef enum {
    ONEDNN_ROWS = 0,     ///< row after row
    ONEDNN_COLUMNS = 1,  ///< column after column: the matrix is the transpose of one that lies row after row
    ONEDNN_PACKED = 2,   ///< of weights: as the implementation wants them, made by onednn_matmul_pack
} onednn_order;

/// What a product multiplies, and how: source [rows,inner] × weights [inner,columns] → destination [rows,columns].
typedef struct {
    int64_t rows, inner, columns;
    onednn_type source_type, destination_type;
    onednn_order source_order, weights_order;
    /// Numbers from a row, or a column, to the next; 0 where one follows the other.
    int64_t source_stride, weights_stride, destination_stride;
    bool has_bias;
    onednn_epilogue epilogue;
    /// Whether the kernel is made in the first run, and not at once.
    bool compile_later;
} onednn_matmul_shape;

/// A matrix product of one fixed shape, compiled once, run many times, also by several threads at a time:
/// destination = epilogue(source × weights + bias [columns]). The destination lies row after row.
typedef struct onednn_matmul onednn_matmul;

int onednn_matmul_create(onednn_matmul *_Nullable *_Nonnull result, const onednn_matmul_shape *_Nonnull shape);
void onednn_matmul_destroy(onednn_matmul *_Nullable matmul);

/// The name of oneDNN's implementation, for instance "brg:avx512_core_bf16".
const char *_Nonnull onednn_matmul_implementation(const onednn_matmul *_Nonnull matmul);
/// Bytes that the weights take in the product's order.
size_t onednn_matmul_packed_size(const onednn_matmul *_Nonnull matmul);
/// Describes the order that onednn_matmul_pack brings weights into, number type included: equal texts, equal orders. Empty
/// where oneDNN doesn't tell it.
void onednn_matmul_layout(const onednn_matmul *_Nonnull matmul, char *_Nonnull text, size_t size);
/// Bytes of scratch memory that each concurrent run needs.
size_t onednn_matmul_scratch_size(const onednn_matmul *_Nonnull matmul);
/// Brings weights [inner,columns] (f32; s8 for ONEDNN_U8), which lie in `order`, `stride` numbers apart, into the layout
/// and type that the implementation wants.
int onednn_matmul_pack(const onednn_matmul *_Nonnull matmul, const void *_Nonnull weights, onednn_order order,
                       int64_t stride, void *_Nonnull packed);
int onednn_matmul_run(onednn_matmul *_Nonnull matmul, const void *_Nonnull source, const void *_Nonnull packed,
                      const float *_Nullable bias, void *_Nonnull destination, void *_Nullable scratch);

#ifdef __cplusplus
}
#endif

#endif
