#include "random.h"

#include "flash.h"
#include "machine.h"

static uint32_t state[4];

/* Each bit of a word changes about half of the answer's (the finalizer of MurmurHash3). */
static uint32_t mixed(uint32_t word) {
    word = (word ^ word >> 16) * 0x85ebca6bu;
    word = (word ^ word >> 13) * 0xc2b2ae35u;
    return word ^ word >> 16;
}

void random_init(void) {
    uint32_t length;
    const uint8_t *seed = flash_region(FLASH_SEED, FLASH_SEED_BYTES, &length);
    uint64_t clock = (uint64_t)machine_wall_us();
    state[0] = mixed((uint32_t)clock);
    state[1] = mixed((uint32_t)(clock >> 32) + 1);
    state[2] = mixed((uint32_t)machine_now_ms() + 2);
    state[3] = 3;
    for (uint32_t i = 0; seed && i < length; i++) {
        uint32_t *word = &state[i % 4];
        *word = mixed(*word ^ seed[i] ^ random_next());
    }
    if (!(state[0] | state[1] | state[2] | state[3])) state[0] = 1;
    for (int i = 0; i < 16; i++) (void)random_next();
}

uint32_t random_next(void) {
    uint32_t word = state[0] ^ state[0] << 11;
    state[0] = state[1];
    state[1] = state[2];
    state[2] = state[3];
    return state[3] = state[3] ^ state[3] >> 19 ^ word ^ word >> 8;
}
