#include "network.h"

/* Half of it is chance: boards that lost one access point together do not come back together. */
uint32_t network_wait(uint32_t failures, uint32_t random) {
    uint32_t wait = failures > 7 ? NETWORK_WAIT_MOST_MS : (uint32_t)NETWORK_WAIT_MS << failures;
    if (wait > NETWORK_WAIT_MOST_MS) wait = NETWORK_WAIT_MOST_MS;
    return wait / 2 + random % (wait / 2 + 1);
}
