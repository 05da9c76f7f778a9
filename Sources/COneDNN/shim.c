#define _GNU_SOURCE
#include "COneDNN.h"

#include <dlfcn.h>
#if defined(__x86_64__)
#include <cpuid.h>
#endif
#include <oneapi/dnnl/dnnl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TRY(call)                                      \
    do {                                               \
        dnnl_status_t status_ = (call);                \
        if (status_ != dnnl_success) {                 \
            status = status_;                          \
            goto done;                                 \
        }                                              \
    } while (0)

/// How the numbers of a matrix lie in memory: strides of the outer order, and the blocks within it.
typedef struct {
    dnnl_data_type_t type;
    dnnl_dims_t strides, padded, sizes, places;
    int count;
} blocks_t;

// MARK: - Where oneDNN 2.x and 3.x differ

#if DNNL_VERSION_MAJOR >= 3
typedef dnnl_memory_desc_t layout_t;
typedef const_dnnl_memory_desc_t layout_view_t;

static dnnl_status_t layout_any(layout_t *layout, int count, const dnnl_dims_t dims, dnnl_data_type_t type) {
    return dnnl_memory_desc_create_with_tag(layout, count, dims, type, dnnl_format_tag_any);
}
static dnnl_status_t layout_strided(layout_t *layout, int count, const dnnl_dims_t dims, dnnl_data_type_t type,
                                    const dnnl_dims_t strides) {
    return dnnl_memory_desc_create_with_strides(layout, count, dims, type, strides);
}
static dnnl_status_t layout_none(layout_t *layout) {
    *layout = NULL;
    return dnnl_success;
}
static layout_view_t layout_view(const layout_t *layout) { return *layout; }
static void layout_destroy(layout_t *layout) {
    if (*layout) dnnl_memory_desc_destroy(*layout);
    *layout = NULL;
}
static dnnl_status_t layout_copy(layout_t *copy, layout_view_t original) {
    return dnnl_memory_desc_clone(copy, original);
}
/// false where oneDNN doesn't tell it.
static bool layout_blocks(layout_view_t layout, blocks_t *blocks) {
    dnnl_format_kind_t kind;
    const dnnl_dims_t *strides, *padded, *sizes, *places;
    if (dnnl_memory_desc_query(layout, dnnl_query_format_kind, &kind) != dnnl_success || kind != dnnl_blocked ||
        dnnl_memory_desc_query(layout, dnnl_query_data_type, &blocks->type) != dnnl_success ||
        dnnl_memory_desc_query(layout, dnnl_query_strides, &strides) != dnnl_success ||
        dnnl_memory_desc_query(layout, dnnl_query_padded_dims, &padded) != dnnl_success ||
        dnnl_memory_desc_query(layout, dnnl_query_inner_nblks_s32, &blocks->count) != dnnl_success ||
        dnnl_memory_desc_query(layout, dnnl_query_inner_blks, &sizes) != dnnl_success ||
        dnnl_memory_desc_query(layout, dnnl_query_inner_idxs, &places) != dnnl_success)
        return false;
    memcpy(blocks->strides, *strides, sizeof blocks->strides);
    memcpy(blocks->padded, *padded, sizeof blocks->padded);
    memcpy(blocks->sizes, *sizes, sizeof blocks->sizes);
    memcpy(blocks->places, *places, sizeof blocks->places);
    return true;
}
static dnnl_status_t append_gelu(dnnl_post_ops_t operations) {
    return dnnl_post_ops_append_eltwise(operations, dnnl_eltwise_gelu_tanh, 0, 0);
}
static dnnl_status_t append_sum(dnnl_post_ops_t operations) {
    return dnnl_post_ops_append_sum(operations, 1, 0, dnnl_data_type_undef);
}
static dnnl_status_t describe(dnnl_primitive_desc_t *description, dnnl_engine_t engine, const layout_t *source,
                              const layout_t *weights, const layout_t *bias, const layout_t *destination,
                              const_dnnl_primitive_attr_t attributes) {
    return dnnl_matmul_primitive_desc_create(description, engine, *source, *weights, *bias, *destination, attributes);
}
#else
typedef dnnl_memory_desc_t layout_t;
typedef const dnnl_memory_desc_t *layout_view_t;

static dnnl_status_t layout_any(layout_t *layout, int count, const dnnl_dims_t dims, dnnl_data_type_t type) {
    return dnnl_memory_desc_init_by_tag(layout, count, dims, type, dnnl_format_tag_any);
}
static dnnl_status_t layout_strided(layout_t *layout, int count, const dnnl_dims_t dims, dnnl_data_type_t type,
                                    const dnnl_dims_t strides) {
    return dnnl_memory_desc_init_by_strides(layout, count, dims, type, strides);
}
static dnnl_status_t layout_none(layout_t *layout) {
    memset(layout, 0, sizeof *layout);  // no dimensions: no bias
    return dnnl_success;
}
static layout_view_t layout_view(const layout_t *layout) { return layout; }
static void layout_destroy(layout_t *layout) { (void)layout; }
static dnnl_status_t layout_copy(layout_t *copy, layout_view_t original) {
    *copy = *original;
    return dnnl_success;
}
static bool layout_blocks(layout_view_t layout, blocks_t *blocks) {
    if (layout->format_kind != dnnl_blocked || layout->extra.flags != 0) return false;
    const dnnl_blocking_desc_t *blocking = &layout->format_desc.blocking;
    blocks->type = layout->data_type;
    blocks->count = blocking->inner_nblks;
    memcpy(blocks->strides, blocking->strides, sizeof blocks->strides);
    memcpy(blocks->padded, layout->padded_dims, sizeof blocks->padded);
    memcpy(blocks->sizes, blocking->inner_blks, sizeof blocks->sizes);
    memcpy(blocks->places, blocking->inner_idxs, sizeof blocks->places);
    return true;
}
static dnnl_status_t append_gelu(dnnl_post_ops_t operations) {
    return dnnl_post_ops_append_eltwise(operations, 1, dnnl_eltwise_gelu_tanh, 0, 0);
}
static dnnl_status_t append_sum(dnnl_post_ops_t operations) { return dnnl_post_ops_append_sum(operations, 1); }
static dnnl_status_t describe(dnnl_primitive_desc_t *description, dnnl_engine_t engine, const layout_t *source,
                              const layout_t *weights, const layout_t *bias, const layout_t *destination,
                              const_dnnl_primitive_attr_t attributes) {
    dnnl_matmul_desc_t operation;
    dnnl_status_t status = dnnl_matmul_desc_init(&operation, source, weights, bias, destination);
    if (status != dnnl_success) return status;
    return dnnl_primitive_desc_create(description, &operation, attributes, engine, NULL);
}
#endif

_Static_assert(dnnl_out_of_memory == onednn_out_of_memory, "oneDNN's status codes have changed");

// MARK: - The library

static dnnl_engine_t shared_engine;
static dnnl_status_t shared_engine_status;
static pthread_once_t engine_once = PTHREAD_ONCE_INIT;

static void create_engine(void) { shared_engine_status = dnnl_engine_create(&shared_engine, dnnl_cpu, 0); }

static dnnl_status_t engine(dnnl_engine_t *result) {
    pthread_once(&engine_once, create_engine);
    *result = shared_engine;
    return shared_engine_status;
}

static void (*set_thread_count)(int);
static pthread_once_t thread_count_once = PTHREAD_ONCE_INIT;

// Looked up by name: which OpenMP runtime oneDNN was built with (libgomp, libomp, or none) is its own affair.
static void find_set_thread_count(void) {
    set_thread_count = (void (*)(int))dlsym(RTLD_DEFAULT, "omp_set_num_threads");
}

void onednn_use_one_thread(void) {
    pthread_once(&thread_count_once, find_set_thread_count);
    if (set_thread_count) set_thread_count(1);
}

static bool has(dnnl_cpu_isa_t wanted) { return (dnnl_get_effective_cpu_isa() & wanted) == wanted; }

// Intel's CPUs since Sapphire Rapids have AMX for bf16. Where a hypervisor hides it, what is left (AVX512-BF16) runs at 0.6 of
// f32's rate; Cooper Lake (model 0x55), which has nothing else, and AMD's CPUs run it at twice that rate.
static bool avx512_bf16_is_slow(void) {
#if defined(__x86_64__)
    unsigned a, b, c, d;
    if (!__get_cpuid(0, &a, &b, &c, &d) || b != signature_INTEL_ebx) return false;
    if (!__get_cpuid(1, &a, &b, &c, &d)) return false;
    return ((a >> 4 & 0xF) | (a >> 12 & 0xF0)) != 0x55;
#else
    return false;
#endif
}

bool onednn_has_bf16(void) {
    return has(dnnl_cpu_isa_avx512_core_amx) || (has(dnnl_cpu_isa_avx512_core_bf16) && !avx512_bf16_is_slow());
}

bool onednn_int8_saturates(void) {
#if defined(__x86_64__)
    return !has(dnnl_cpu_isa_avx512_core_vnni) && !has(dnnl_cpu_isa_avx2_vnni);
#else
    return false;
#endif
}

int onednn_float_lanes(void) {
#if defined(__x86_64__)
    if (has(dnnl_cpu_isa_avx512_core)) return 16;
    if (has(dnnl_cpu_isa_avx2)) return 8;
#endif
    return 4;
}

static char version_text[32];

static void write_version(void) {
    const dnnl_version_t *version = dnnl_version();
    snprintf(version_text, sizeof version_text, "%d.%d.%d", version->major, version->minor, version->patch);
}

const char *onednn_version(void) {
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, write_version);
    return version_text;
}

int onednn_sgemm(bool transpose_a, bool transpose_b, int64_t m, int64_t n, int64_t k, float alpha, const float *a,
                 int64_t stride_a, const float *b, int64_t stride_b, float beta, float *c, int64_t stride_c) {
    return dnnl_sgemm(transpose_a ? 'T' : 'N', transpose_b ? 'T' : 'N', m, n, k, alpha, a, stride_a, b, stride_b, beta,
                      c, stride_c);
}

// MARK: - Matmul

// What a run of a product needs besides its data. A run takes one and puts it back; where none is left it makes another.
typedef struct {
    dnnl_stream_t stream;
    int count;
    dnnl_exec_arg_t arguments[5];
} execution_t;

enum { SPARE_EXECUTIONS = 4 };

struct onednn_matmul {
    dnnl_primitive_desc_t description;
    _Atomic(dnnl_primitive_t) primitive;  // NULL until it is compiled
    pthread_mutex_t compiling;
    layout_t source, weights, bias, destination;
    dnnl_dims_t weight_dims;
    dnnl_data_type_t plain_type;
    char implementation[64];
    _Atomic(execution_t *) spare[SPARE_EXECUTIONS];
};

static dnnl_data_type_t data_type(onednn_type type) {
    switch (type) {
    case ONEDNN_BF16: return dnnl_bf16;
    case ONEDNN_U8: return dnnl_u8;
    case ONEDNN_S32: return dnnl_s32;
    default: return dnnl_f32;
    }
}

// Strides of a matrix [rows,columns].
static void set_strides(dnnl_dims_t strides, int64_t rows, int64_t columns, onednn_order order, int64_t stride) {
    bool by_columns = order == ONEDNN_COLUMNS;
    if (stride == 0) stride = by_columns ? rows : columns;
    strides[0] = by_columns ? 1 : stride;
    strides[1] = by_columns ? stride : 1;
}

/// Makes the kernel, unless that is done. Any number of threads may call it at a time.
static dnnl_status_t compile(onednn_matmul *matmul) {
    dnnl_status_t status = dnnl_success;
    pthread_mutex_lock(&matmul->compiling);
    if (!atomic_load(&matmul->primitive)) {
        dnnl_primitive_t primitive = NULL;
        status = dnnl_primitive_create(&primitive, matmul->description);
        if (status == dnnl_success) atomic_store(&matmul->primitive, primitive);
    }
    pthread_mutex_unlock(&matmul->compiling);
    return status;
}

int onednn_matmul_create(onednn_matmul **result, const onednn_matmul_shape *shape) {
    dnnl_status_t status = dnnl_success;
    dnnl_primitive_attr_t attributes = NULL;
    dnnl_post_ops_t operations = NULL;
    dnnl_engine_t cpu;
    *result = NULL;
    onednn_matmul *matmul = calloc(1, sizeof *matmul);
    if (!matmul) return dnnl_out_of_memory;
    pthread_mutex_init(&matmul->compiling, NULL);

    const int64_t rows = shape->rows, inner = shape->inner, columns = shape->columns;
    const bool is_integer = shape->source_type == ONEDNN_U8;
    const dnnl_data_type_t type = data_type(shape->source_type), weight_type = is_integer ? dnnl_s8 : type;
    dnnl_dims_t source_dims = {rows, inner}, weight_dims = {inner, columns}, bias_dims = {1, columns},
                destination_dims = {rows, columns};
    dnnl_dims_t source_strides, weight_strides, destination_strides, bias_strides = {columns, 1};
    set_strides(source_strides, rows, inner, shape->source_order, shape->source_stride);
    set_strides(weight_strides, inner, columns, shape->weights_order, shape->weights_stride);
    set_strides(destination_strides, rows, columns, ONEDNN_ROWS, shape->destination_stride);
    memcpy(matmul->weight_dims, weight_dims, sizeof weight_dims);
    matmul->plain_type = is_integer ? dnnl_s8 : dnnl_f32;
    TRY(engine(&cpu));
    TRY(layout_strided(&matmul->source, 2, source_dims, type, source_strides));
    if (!shape->has_bias) {
        TRY(layout_none(&matmul->bias));
    } else {
        TRY(layout_strided(&matmul->bias, 2, bias_dims, dnnl_f32, bias_strides));
    }
    TRY(layout_strided(&matmul->destination, 2, destination_dims, data_type(shape->destination_type),
                       destination_strides));

    TRY(dnnl_primitive_attr_create(&attributes));
    TRY(dnnl_primitive_attr_set_scratchpad_mode(attributes, dnnl_scratchpad_mode_user));
    if (shape->epilogue != ONEDNN_STORE) {
        TRY(dnnl_post_ops_create(&operations));
        TRY(shape->epilogue == ONEDNN_ADD ? append_sum(operations) : append_gelu(operations));
        TRY(dnnl_primitive_attr_set_post_ops(attributes, operations));
    }

    if (shape->weights_order == ONEDNN_PACKED) {
        TRY(layout_any(&matmul->weights, 2, weight_dims, weight_type));
    } else {
        TRY(layout_strided(&matmul->weights, 2, weight_dims, weight_type, weight_strides));
    }
    TRY(describe(&matmul->description, cpu, &matmul->source, &matmul->weights, &matmul->bias, &matmul->destination,
                 attributes));
    const char *name = "";
    TRY(dnnl_primitive_desc_query(matmul->description, dnnl_query_impl_info_str, 0, &name));
    if (shape->weights_order == ONEDNN_PACKED && strncmp(name, "gemm", 4) == 0) {
        // The general matrix product takes weights as they are. Rows a multiple of 4 KiB apart would fight for the
        // same cache lines (measured: half the speed for [768,3072]); 64 bytes more per row prevent that.
        dnnl_dims_t padded_strides = {columns + (weight_type == dnnl_s8 ? 64 : 16), 1};
        dnnl_primitive_desc_destroy(matmul->description);
        matmul->description = NULL;
        layout_destroy(&matmul->weights);
        TRY(layout_strided(&matmul->weights, 2, weight_dims, weight_type, padded_strides));
        TRY(describe(&matmul->description, cpu, &matmul->source, &matmul->weights, &matmul->bias,
                     &matmul->destination, attributes));
        TRY(dnnl_primitive_desc_query(matmul->description, dnnl_query_impl_info_str, 0, &name));
    } else if (shape->weights_order == ONEDNN_PACKED) {
        layout_view_t chosen = dnnl_primitive_desc_query_md(matmul->description, dnnl_query_weights_md, 0);
        layout_destroy(&matmul->weights);
        TRY(layout_copy(&matmul->weights, chosen));
    }
    snprintf(matmul->implementation, sizeof matmul->implementation, "%s", name);
    if (!shape->compile_later) TRY(compile(matmul));

done:
    if (operations) dnnl_post_ops_destroy(operations);
    if (attributes) dnnl_primitive_attr_destroy(attributes);
    if (status == dnnl_success) {
        *result = matmul;
    } else {
        onednn_matmul_destroy(matmul);
    }
    return status;
}

static void execution_destroy(execution_t *execution) {
    for (int i = 0; i < execution->count; i++) dnnl_memory_destroy(execution->arguments[i].memory);
    if (execution->stream) dnnl_stream_destroy(execution->stream);
    free(execution);
}

void onednn_matmul_destroy(onednn_matmul *matmul) {
    if (!matmul) return;
    for (int i = 0; i < SPARE_EXECUTIONS; i++) {
        execution_t *execution = atomic_load(&matmul->spare[i]);
        if (execution) execution_destroy(execution);
    }
    dnnl_primitive_t primitive = atomic_load(&matmul->primitive);
    if (primitive) dnnl_primitive_destroy(primitive);
    pthread_mutex_destroy(&matmul->compiling);
    if (matmul->description) dnnl_primitive_desc_destroy(matmul->description);
    layout_destroy(&matmul->source);
    layout_destroy(&matmul->weights);
    layout_destroy(&matmul->bias);
    layout_destroy(&matmul->destination);
    free(matmul);
}

const char *onednn_matmul_implementation(const onednn_matmul *matmul) { return matmul->implementation; }

size_t onednn_matmul_packed_size(const onednn_matmul *matmul) {
    return dnnl_memory_desc_get_size(layout_view(&matmul->weights));
}

void onednn_matmul_layout(const onednn_matmul *matmul, char *text, size_t size) {
    blocks_t blocks;
    text[0] = '\0';
    if (!layout_blocks(layout_view(&matmul->weights), &blocks)) return;
    int used = snprintf(text, size, "type %d, of %lld by %lld, strides %lld and %lld", (int)blocks.type,
                        (long long)blocks.padded[0], (long long)blocks.padded[1], (long long)blocks.strides[0],
                        (long long)blocks.strides[1]);
    for (int i = 0; i < blocks.count && used > 0 && (size_t)used < size; i++)
        used += snprintf(text + used, size - (size_t)used, "%s %lld of %s", i == 0 ? ", blocks of" : ",",
                         (long long)blocks.sizes[i], blocks.places[i] == 0 ? "rows" : "columns");
    if (used <= 0 || (size_t)used >= size) text[0] = '\0';
}

static layout_view_t scratch_layout(const onednn_matmul *matmul) {
    return dnnl_primitive_desc_query_md(matmul->description, dnnl_query_scratchpad_md, 0);
}

size_t onednn_matmul_scratch_size(const onednn_matmul *matmul) {
    layout_view_t layout = scratch_layout(matmul);
    return layout ? dnnl_memory_desc_get_size(layout) : 0;
}

int onednn_matmul_pack(const onednn_matmul *matmul, const void *weights, onednn_order order, int64_t stride,
                       void *packed) {
    dnnl_status_t status = dnnl_success;
    dnnl_engine_t cpu;
    dnnl_stream_t stream = NULL;
    dnnl_memory_t from = NULL, to = NULL;
    dnnl_primitive_desc_t description = NULL;
    dnnl_primitive_t reorder = NULL;
    dnnl_dims_t dims, strides;
    memcpy(dims, matmul->weight_dims, sizeof dims);
    set_strides(strides, dims[0], dims[1], order, stride);
    layout_t plain = {0};
    TRY(layout_strided(&plain, 2, dims, matmul->plain_type, strides));
    TRY(engine(&cpu));
    TRY(dnnl_stream_create(&stream, cpu, dnnl_stream_default_flags));
    TRY(dnnl_memory_create(&from, layout_view(&plain), cpu, (void *)weights));
    TRY(dnnl_memory_create(&to, layout_view(&matmul->weights), cpu, packed));
    TRY(dnnl_reorder_primitive_desc_create(&description, layout_view(&plain), cpu,
                                           layout_view(&matmul->weights), cpu, NULL));
    TRY(dnnl_primitive_create(&reorder, description));
    dnnl_exec_arg_t arguments[] = {{DNNL_ARG_FROM, from}, {DNNL_ARG_TO, to}};
    TRY(dnnl_primitive_execute(reorder, stream, 2, arguments));
    TRY(dnnl_stream_wait(stream));
done:
    layout_destroy(&plain);
    if (reorder) dnnl_primitive_destroy(reorder);
    if (description) dnnl_primitive_desc_destroy(description);
    if (from) dnnl_memory_destroy(from);
    if (to) dnnl_memory_destroy(to);
    if (stream) dnnl_stream_destroy(stream);
    return status;
}

/// Adds an argument that has no data yet.
static dnnl_status_t add_argument(execution_t *execution, int which, layout_view_t layout) {
    dnnl_engine_t cpu;
    dnnl_memory_t memory;
    dnnl_status_t status = engine(&cpu);
    if (status == dnnl_success) status = dnnl_memory_create(&memory, layout, cpu, DNNL_MEMORY_NONE);
    if (status != dnnl_success) return status;
    execution->arguments[execution->count++] = (dnnl_exec_arg_t){which, memory};
    return dnnl_success;
}

static dnnl_status_t execution_create(execution_t **result, const onednn_matmul *matmul, bool has_bias) {
    dnnl_status_t status = dnnl_success;
    dnnl_engine_t cpu;
    execution_t *execution = calloc(1, sizeof *execution);
    if (!execution) return dnnl_out_of_memory;
    TRY(engine(&cpu));
    TRY(dnnl_stream_create(&execution->stream, cpu, dnnl_stream_default_flags));
    TRY(add_argument(execution, DNNL_ARG_SRC, layout_view(&matmul->source)));
    TRY(add_argument(execution, DNNL_ARG_WEIGHTS, layout_view(&matmul->weights)));
    TRY(add_argument(execution, DNNL_ARG_DST, layout_view(&matmul->destination)));
    if (has_bias) TRY(add_argument(execution, DNNL_ARG_BIAS, layout_view(&matmul->bias)));
    if (onednn_matmul_scratch_size(matmul) > 0)
        TRY(add_argument(execution, DNNL_ARG_SCRATCHPAD, scratch_layout(matmul)));
    *result = execution;
    return dnnl_success;
done:
    execution_destroy(execution);
    return status;
}

/// Lets an argument read or write `data`.
static dnnl_status_t set_data(dnnl_exec_arg_t argument, const void *data) {
    void *old;
    dnnl_status_t status = dnnl_memory_get_data_handle(argument.memory, &old);
    if (status != dnnl_success || old == data) return status;
    return dnnl_memory_set_data_handle(argument.memory, (void *)data);
}

int onednn_matmul_run(onednn_matmul *matmul, const void *source, const void *packed, const float *bias,
                      void *destination, void *scratch) {
    dnnl_status_t status = dnnl_success;
    execution_t *execution = NULL;
    if (!atomic_load(&matmul->primitive)) TRY(compile(matmul));
    for (int i = 0; i < SPARE_EXECUTIONS && !execution; i++) execution = atomic_exchange(&matmul->spare[i], NULL);
    if (!execution) TRY(execution_create(&execution, matmul, bias));
    for (int i = 0; i < execution->count; i++) {
        const void *data = scratch;
        switch (execution->arguments[i].arg) {
        case DNNL_ARG_SRC: data = source; break;
        case DNNL_ARG_WEIGHTS: data = packed; break;
        case DNNL_ARG_DST: data = destination; break;
        case DNNL_ARG_BIAS: data = bias; break;
        }
        TRY(set_data(execution->arguments[i], data));
    }
    TRY(dnnl_primitive_execute(
        atomic_load(&matmul->primitive), execution->stream, execution->count, execution->arguments));
    TRY(dnnl_stream_wait(execution->stream));
    for (int i = 0; i < SPARE_EXECUTIONS; i++) {
        execution_t *none = NULL;
        if (atomic_compare_exchange_strong(&matmul->spare[i], &none, execution)) return dnnl_success;
    }
done:
    if (execution) execution_destroy(execution);
    return status;
}
