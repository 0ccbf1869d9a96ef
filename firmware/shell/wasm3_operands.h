/* Operations of wasm3 whose operands share a word, included by wasm3_compile.c. wasm3 0.5.0 keeps the number of a slot and the offset of an access in a word
 * each, and half of a module's translated code are these. Here an operation is emitted as wasm3 does; when its last operand stands behind it and all of
 * them are small enough, its place is taken by the like that reads them from one word. A frame has far less than 64 KiB. */
#ifndef TWOBYTE_WASM3_OPERANDS_H
#define TWOBYTE_WASM3_OPERANDS_H

#include "m3_emit.h"
#include "m3_exec.h"

#include <string.h>

/* Slots in bytes from the frame, so that nothing is shifted to read one; `b` may be the offset of an access. */
typedef struct {
    uint16_t a, b;
} TwoOperands;

/* Slots by number. */
typedef struct {
    uint8_t a, b;
    uint16_t offset;
} ThreeOperands;

#define in_frame(TYPE, at) (*(TYPE *)(void *)((uint8_t *)_sp + (at)))

d_m3Op(CopySlot_32_two) {
    const TwoOperands two = immediate(TwoOperands);
    in_frame(u32, two.a) = in_frame(u32, two.b);
    nextOp();
}

d_m3Op(Select_i32_two) {
    const i32 condition = (i32)_r0;
    const TwoOperands two = immediate(TwoOperands);
    _r0 = condition ? in_frame(i32, two.b) : in_frame(i32, two.a);
    nextOp();
}

#define BINARY(TYPE, NAME, OPERATOR)                                      \
    d_m3Op(TYPE##_##NAME##_two) {                                         \
        const TwoOperands two = immediate(TwoOperands);                   \
        _r0 = in_frame(TYPE, two.b) OPERATOR in_frame(TYPE, two.a);       \
        nextOp();                                                         \
    }
BINARY(i32, Equal, ==)
BINARY(i32, NotEqual, !=)
BINARY(i32, LessThan, <)
BINARY(u32, LessThan, <)
BINARY(u32, GreaterThan, >)
BINARY(i32, Add, +)
BINARY(i32, Subtract, -)
BINARY(u32, And, &)
BINARY(u32, Or, |)

/* Whether `size` bytes at `address` and `offset` behind it are in the memory: each processor counts in its own width. */
static inline bool is_inside(const M3MemoryHeader *memory, u32 address, u32 offset, u32 size) {
    if (sizeof(size_t) > sizeof(u32)) return LIKELY((u64)address + offset + size <= memory->length);
    const u32 at = address + offset;
    return LIKELY(at >= offset && at < memory->length && memory->length - at >= size);
}

#define LOAD(TYPE)                                                        \
    d_m3Op(i32_Load_##TYPE##_two) {                                       \
        const TwoOperands two = immediate(TwoOperands);                   \
        const u32 address = in_frame(u32, two.a);                         \
        if (!is_inside(_mem, address, two.b, sizeof(TYPE))) d_outOfBounds; \
        TYPE value;                                                       \
        memcpy(&value, m3MemData(_mem) + address + two.b, sizeof value);  \
        M3_BSWAP_##TYPE(value);                                           \
        _r0 = (i32)value;                                                 \
        nextOp();                                                         \
    }
LOAD(i32)
LOAD(u8)
LOAD(u16)

#define STORE(TYPE)                                                       \
    d_m3Op(i32_Store_##TYPE##_two) {                                      \
        const TwoOperands two = immediate(TwoOperands);                   \
        const u32 address = in_frame(u32, two.a);                         \
        if (!is_inside(_mem, address, two.b, sizeof(TYPE))) d_outOfBounds; \
        TYPE value = (TYPE)_r0;                                           \
        M3_BSWAP_##TYPE(value);                                           \
        memcpy(m3MemData(_mem) + address + two.b, &value, sizeof value);  \
        nextOp();                                                         \
    }                                                                     \
    d_m3Op(i32_Store_##TYPE##_three) {                                    \
        const ThreeOperands three = immediate(ThreeOperands);             \
        const u32 address = *(u32 *)(_sp + three.b);                      \
        if (!is_inside(_mem, address, three.offset, sizeof(TYPE))) d_outOfBounds; \
        TYPE value = (TYPE) * (i32 *)(_sp + three.a);                     \
        M3_BSWAP_##TYPE(value);                                           \
        memcpy(m3MemData(_mem) + address + three.offset, &value, sizeof value); \
        nextOp();                                                         \
    }
STORE(i32)
STORE(u8)
STORE(i16)

typedef enum { TWO_SLOTS, SLOT_AND_OFFSET, TWO_SLOTS_AND_OFFSET } Operands;

/* What is emitted, and what takes its place. */
static const struct {
    IM3Operation apart, together;
    Operands operands;
} alike[] = {
    {op_CopySlot_32, op_CopySlot_32_two, TWO_SLOTS},
    {op_Select_i32_rss, op_Select_i32_two, TWO_SLOTS},
    {op_i32_Equal_ss, op_i32_Equal_two, TWO_SLOTS},
    {op_i32_NotEqual_ss, op_i32_NotEqual_two, TWO_SLOTS},
    {op_i32_LessThan_ss, op_i32_LessThan_two, TWO_SLOTS},
    {op_u32_LessThan_ss, op_u32_LessThan_two, TWO_SLOTS},
    {op_u32_GreaterThan_ss, op_u32_GreaterThan_two, TWO_SLOTS},
    {op_i32_Add_ss, op_i32_Add_two, TWO_SLOTS},
    {op_i32_Subtract_ss, op_i32_Subtract_two, TWO_SLOTS},
    {op_u32_And_ss, op_u32_And_two, TWO_SLOTS},
    {op_u32_Or_ss, op_u32_Or_two, TWO_SLOTS},
    {op_i32_Load_i32_s, op_i32_Load_i32_two, SLOT_AND_OFFSET},
    {op_i32_Load_u8_s, op_i32_Load_u8_two, SLOT_AND_OFFSET},
    {op_i32_Load_u16_s, op_i32_Load_u16_two, SLOT_AND_OFFSET},
    {op_i32_Store_i32_rs, op_i32_Store_i32_two, SLOT_AND_OFFSET},
    {op_i32_Store_u8_rs, op_i32_Store_u8_two, SLOT_AND_OFFSET},
    {op_i32_Store_i16_rs, op_i32_Store_i16_two, SLOT_AND_OFFSET},
    {op_i32_Store_i32_ss, op_i32_Store_i32_three, TWO_SLOTS_AND_OFFSET},
    {op_i32_Store_u8_ss, op_i32_Store_u8_three, TWO_SLOTS_AND_OFFSET},
    {op_i32_Store_i16_ss, op_i32_Store_i16_three, TWO_SLOTS_AND_OFFSET},
};

/* Where the operation that was emitted last stands. */
static IM3CodePage latest_page;
static u32 latest_line;

static M3Result emit_operation(IM3Compilation o, IM3Operation operation) {
    M3Result result = EmitOp(o, operation);
    latest_page = o->page;
    if (latest_page) latest_line = latest_page->info.lineIndex - 1;
    return result;
}

static u32 word_at(const code_t *line) {
    u32 word;
    memcpy(&word, line, sizeof word);
    return word;
}

/* The operands behind `line` in one word, if they are small enough. */
static bool put_together(code_t *line, Operands operands) {
    enum { SLOT = sizeof(m3slot_t) };
    const u32 a = word_at(line + 1), b = word_at(line + 2);
    if (operands == TWO_SLOTS_AND_OFFSET) {
        const u32 offset = word_at(line + 3);
        if (a > UINT8_MAX || b > UINT8_MAX || offset > UINT16_MAX) return false;
        memcpy(line + 1, &(ThreeOperands){(uint8_t)a, (uint8_t)b, (uint16_t)offset}, sizeof(ThreeOperands));
        return true;
    }
    const u32 scale = operands == TWO_SLOTS ? SLOT : 1;
    if (a > UINT16_MAX / SLOT || b > UINT16_MAX / scale) return false;
    memcpy(line + 1, &(TwoOperands){(uint16_t)(a * SLOT), (uint16_t)(b * scale)}, sizeof(TwoOperands));
    return true;
}

/* An operand of the operation that was emitted last: the number of a slot, or an offset. */
static void emit_operand(IM3Compilation o, u32 operand) {
    EmitConstant32(o, operand);
    IM3CodePage page = o->page;
    if (!page || page != latest_page) return;
    code_t *line = &page->code[latest_line];
    const u32 count = page->info.lineIndex - latest_line - 1;
    for (size_t i = 0; i < sizeof alike / sizeof alike[0]; i++) {
        if (*line != (code_t)alike[i].apart) continue;
        if (count != (alike[i].operands == TWO_SLOTS_AND_OFFSET ? 3 : 2) || !put_together(line, alike[i].operands)) return;
        *line = (code_t)alike[i].together;
        page->info.lineIndex = latest_line + 2;
        return;
    }
}

#define EmitOp emit_operation
#define EmitSlotOffset emit_operand
#define EmitConstant32 emit_operand

#endif
